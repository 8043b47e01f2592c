import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import { leanBundle } from '../scripts/lean-bundle.ts';

/** Where the bundles are that the function is compared with, bundled as it is. */
export interface References {
  twoClients: string;
  bareCall: string;
  plainFacade: string;
  roundTrips: string;
}

export async function buildReferences(directory: string): Promise<References> {
  const bundle = async (name: string) => {
    await leanBundle(source(`./references/${name}.ts`), path.join(directory, name, 'index.js'));
    return path.join(directory, name);
  };
  return {
    twoClients: await bundle('two-clients'),
    bareCall: await bundle('bare-call'),
    plainFacade: await bundle('plain-facade'),
    roundTrips: await bundle('round-trips'),
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
