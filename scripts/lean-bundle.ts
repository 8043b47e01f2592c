import path from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

/**
 * How a Lambda function is bundled, and what the benchmarks compare a bundle with: as CommonJS, which starts faster than
 * an ES module on Lambda's Node, and without the parts of the AWS SDK that Lambda never runs.
 */
const LEAN: BuildOptions = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  mainFields: ['module', 'main'],
  legalComments: 'none',
  logLevel: 'warning',
};

/**
 * Bundles one entry point with all that it imports into one file.
 *
 * @param options beside the lean ones, or in their place
 * @returns what the bundle is made of, with bytes by input file
 */
export async function leanBundle(
  entryPoint: string,
  outfile: string,
  options: BuildOptions = {},
): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: [entryPoint],
    outfile,
    ...LEAN,
    plugins: [leanSdk()],
    ...options,
    metafile: true,
  });
  return metafile;
}

interface Replacement {
  /** How the path of the SDK's file ends that is left out. */
  file: string;
  /** What is bundled in its place. */
  contents: string;
}

/** Why each can be missed is in docs/decisions/0007-what-the-bundle-leaves-out.md. */
const REPLACEMENTS: Replacement[] = [
  {
    file: '@aws-sdk/credential-provider-node/dist-es/index.js',
    // Says itself what is wrong where the environment has no credentials.
    contents: "export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';",
  },
  {
    file: '@smithy/core/dist-es/submodules/event-streams/index.js',
    contents: "throw new Error('Event streams are left out of this bundle (scripts/lean-bundle.ts).');",
  },
];

/**
 * The esbuild plugin that leaves them out. A bundle that was to lose one and never had it fails: an SDK that moved its
 * files must not make bundles fat unnoticed.
 */
function leanSdk(): Plugin {
  return {
    name: 'lean-sdk',
    setup({ onLoad, onEnd }) {
      const unseen = new Set(REPLACEMENTS.map(({ file }) => file));
      for (const { file, contents } of REPLACEMENTS) {
        const filter = new RegExp(file.replaceAll('.', '\\.').replaceAll('/', String.raw`[\\/]`).concat('$'));
        onLoad({ filter }, (args) => {
          unseen.delete(file);
          return { contents, loader: 'js', resolveDir: path.dirname(args.path) };
        });
      }
      onEnd(() => ({
        errors: [...unseen].map((file) => ({
          text: `${file} is not there to be left out (lean-bundle.ts).`,
        })),
      }));
    },
  };
}
