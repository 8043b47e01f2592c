import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ENTRY = fileURLToPath(new URL('../../examples/web/main.ts', import.meta.url));

let bundled: Promise<Uint8Array> | undefined;

/** `examples/web` as one script; built on the first request, so that a start without a browser does not wait. */
export function bundlePage(): Promise<Uint8Array> {
  bundled ??= bundle();
  return bundled;
}

async function bundle(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    minify: true,
    sourcemap: 'inline',
    // Named, so that the Chime SDK's imports of AWS clients also resolve to their browser builds.
    mainFields: ['browser', 'module', 'main'],
    // The Chime SDK refers to Node's `global`.
    define: { global: 'globalThis' },
    logLevel: 'error',
  });
  return (outputFiles[0] as { contents: Uint8Array }).contents;
}
