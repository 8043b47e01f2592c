import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { leanBundle } from './lean-bundle.ts';
import { NOTICES_FILE, thirdPartyNotices } from './third-party-notices.ts';

// Builds what is deployed, into dist/: the request validators, generated from the API document, and one bundle per
// function. The stack, the local system and the benchmarks all use the bundles made here.
const path = (relative: string): string => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/** Compiles the schemas of requests into a module that needs no validation library. */
function generateRequestValidators(): void {
  const { components } = JSON.parse(readFileSync(path('openapi.json'), 'utf8'));
  const ajv = new Ajv({ allErrors: true, messages: false, code: { source: true } });
  ajv.addVocabulary(['components', 'example']);
  const names = ['BatchCreateAttendeeRequest', 'MeetingId'];
  for (const $id of names) {
    ajv.addSchema({ $id, $ref: `#/components/schemas/${$id}`, components: { schemas: components.schemas } });
  }
  const exports = Object.fromEntries(names.map((name) => [`validate${name}`, name]));
  mkdirSync(path('dist/generated'), { recursive: true });
  writeFileSync(path('dist/generated/request-validators.cjs'), standalone.default(ajv, exports));
  writeFileSync(
    path('dist/generated/request-validators.d.cts'),
    [
      "import type { ValidateFunction } from 'ajv';",
      ...names.map((name) => `export const validate${name}: ValidateFunction;`),
      '',
    ].join('\n'),
  );
}

async function bundleFunction(name: string, entryPoint: string): Promise<void> {
  const metafile = await leanBundle(path(entryPoint), path(`dist/lambda/${name}`));
  writeFileSync(path(`dist/lambda/${name}/${NOTICES_FILE}`), thirdPartyNotices(metafile));
}

rmSync(path('dist'), { recursive: true, force: true });
generateRequestValidators();
await bundleFunction('create-attendees', 'lambda/create-attendees/handler.ts');
await bundleFunction('reconciler', 'lambda/reconciler/handler.ts');
await bundleFunction('observer', 'lambda/observer/handler.ts');
await bundleFunction('sealer', 'lambda/sealer/handler.ts');
