import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';

/** Beside a bundle. */
export const NOTICES_FILE = 'THIRD-PARTY-NOTICES.txt';

/** A package with code in a bundle. */
interface BundledPackage {
  name: string;
  version: string;
  /** As SPDX has it. */
  license: string;
  /** Its files of licence and notice. */
  texts: string[];
}

const NOTICE_FILE = /^(licen[cs]e|notice|copying)([.-].*)?$/i;

/** The folder of a package in `node_modules`, of a file in it. */
const PACKAGE_FOLDER = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/**
 * The licences of all packages in a bundle, for people.
 *
 * @throws if a package does not declare its licence
 */
export function thirdPartyNotices(metafile: Metafile): string {
  const packages = bundledPackages(metafile);
  const byText = new Map<string, BundledPackage[]>();
  for (const each of packages) {
    for (const text of each.texts) byText.set(text, [...(byText.get(text) ?? []), each]);
  }
  const nameOf = ({ name, version }: BundledPackage) => `${name} ${version}`;
  return [
    'This bundle holds code of these packages, under their licences:\n',
    ...packages.map((each) => `  ${nameOf(each)}: ${each.license}`),
    ...[...byText].map(
      ([text, ofText]) => `\n${'-'.repeat(80)}\n${ofText.map(nameOf).join(', ')}\n\n${text}`,
    ),
    '',
  ].join('\n');
}

function bundledPackages({ inputs, outputs }: Metafile): BundledPackage[] {
  const bundled = Object.values(outputs).flatMap(({ inputs: parts }) =>
    Object.entries(parts).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  const folders = new Set(
    bundled.filter((file) => file in inputs).flatMap((file) => PACKAGE_FOLDER.exec(file)?.[0] ?? []),
  );
  return [...folders].toSorted().map(packageIn);
}

function packageIn(folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (typeof license !== 'string')
    throw new Error(`${resolve(folder)}: the package does not declare its licence.`);
  const texts = readdirSync(folder)
    .filter((file) => NOTICE_FILE.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return { name, version, license, texts };
}
