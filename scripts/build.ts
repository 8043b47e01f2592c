import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';

// Builds what is deployed, into dist/: the request validators, generated from the API document, and one bundle per
// function. The stack, the local system and the benchmarks all use the bundles made here.
const path = (relative: string): string => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/** Compiles the schemas of a `BatchCreateAttendee` request into a module that needs no validation library. */
function generateRequestValidators(): void {
  const { components } = JSON.parse(readFileSync(path('openapi.json'), 'utf8'));
  const ajv = new Ajv({ allErrors: true, messages: false, code: { source: true } });
  ajv.addVocabulary(['components']);
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

/**
 * Bundles one function as CommonJS, which starts faster than an ES module on Lambda's Node. The manifest beside it
 * keeps Node from taking the file for an ES module where a folder above says so.
 */
async function bundleFunction(name: string, entryPoint: string): Promise<void> {
  await build({
    entryPoints: [path(entryPoint)],
    outfile: path(`dist/lambda/${name}/index.js`),
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  writeFileSync(path(`dist/lambda/${name}/package.json`), `${JSON.stringify({ type: 'commonjs' })}\n`);
}

rmSync(path('dist'), { recursive: true, force: true });
generateRequestValidators();
await bundleFunction('create-attendees', 'lambda/handler.ts');
