import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';

/**
 * How a Lambda function is bundled, and the benchmarks' variants: as ES modules, which may await while they load, split at
 * dynamic imports (docs/decisions/0029-loaded-in-stages.md), and without the credential providers that Lambda never uses
 * (docs/decisions/0019-the-sdk-as-it-comes.md).
 */
const LEAN: BuildOptions = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  splitting: true,
  outExtension: { '.js': '.mjs' },
  mainFields: ['module', 'main'],
  external: [
    // The SDK imports each of these to look for credentials there. On Lambda it finds them in the environment first.
    '@aws-sdk/credential-provider-http',
    '@aws-sdk/credential-provider-ini',
    '@aws-sdk/credential-provider-process',
    '@aws-sdk/credential-provider-sso',
    '@aws-sdk/credential-provider-web-identity',
    '@smithy/credential-provider-imds',
    // A parser of browsers' names. esbuild drops the only function that imports it, but would still write a file for it.
    'bowser',
  ],
  // They are in a file beside the bundle, with the licences that have no comment (scripts/third-party-notices.ts).
  legalComments: 'none',
  logLevel: 'warning',
};

/**
 * Bundles one entry point with its imports: `index.mjs`, and the files beside it that it imports.
 *
 * @param options added to the lean ones, or replacing them
 * @returns the inputs of the bundle, with bytes by input file
 */
export async function leanBundle(
  entryPoint: string,
  outdir: string,
  options: BuildOptions = {},
): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: { index: entryPoint },
    outdir,
    ...LEAN,
    ...options,
    metafile: true,
  });
  return metafile;
}

/** The files of a bundle, by their paths. */
export function filesOfBundle(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => join(directory, name));
}
