import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { leanBundle } from '../scripts/lean-bundle.ts';

/** Where the bundles are that the function is compared with, bundled as it is. */
export interface References {
  twoClients: string;
  plainFacade: string;
  sample: string;
  floor: string;
}

export async function buildReferences(directory: string): Promise<References> {
  const bundle = async (name: string) => {
    const source = fileURLToPath(new URL(`./references/${name}.ts`, import.meta.url));
    await leanBundle(source, path.join(directory, name));
    return path.join(directory, name);
  };
  return {
    twoClients: await bundle('two-clients'),
    plainFacade: await bundle('plain-facade'),
    sample: await bundle('sample'),
    floor: await bundle('floor'),
  };
}
