import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Metafile } from 'esbuild';
import { leanBundle, leaveOut, NOT_ON_LAMBDA } from '../scripts/lean-bundle.ts';

/** How esbuild bundles for Node where nobody asks it for more. */
const DEFAULTS: BuildOptions = { minify: false, mainFields: ['main', 'module'], plugins: [] };

/** Where the bundles are that the function is compared with. */
export interface References {
  twoClients: string;
  twoClientsOurWay: string;
  bareCall: string;
  plainFacade: string;
  plainFacadeTable: string;
  bareCalls: string;
  roundTrips: string;
}

export async function buildReferences(directory: string): Promise<References> {
  const bundle = async (name: string, options?: BuildOptions) => {
    await leanBundle(source(`./references/${name}.ts`), path.join(directory, name, 'index.js'), options);
    return path.join(directory, name);
  };
  return {
    twoClients: await bundle('two-clients', { plugins: [leaveOut(NOT_ON_LAMBDA)] }),
    twoClientsOurWay: await bundle('two-clients-our-way'),
    bareCall: await bundle('bare-call', DEFAULTS),
    plainFacade: await bundle('plain-facade-chime', DEFAULTS),
    plainFacadeTable: await bundle('plain-facade-table', DEFAULTS),
    bareCalls: await bundle('bare-calls'),
    roundTrips: await bundle('round-trips', DEFAULTS),
  };
}

/** The function once more, with names and lines that a profile can be read by. */
export function buildReadable(directory: string): Promise<Metafile> {
  return leanBundle(source('../lambda/create-attendees/handler.ts'), path.join(directory, 'index.js'), {
    minify: false,
  });
}

function source(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
