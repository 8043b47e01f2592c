import { dirname } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

/**
 * How a Lambda function is bundled, and what the benchmarks compare a bundle with: as CommonJS, which starts faster than
 * an ES module on Lambda's Node, and without what a Lambda function never runs.
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
    plugins: [leaveOut()],
    ...options,
    metafile: true,
  });
  return metafile;
}

interface Replacement {
  package: string;
  /** The file of the package that is left out. */
  file: string;
  /** What is bundled in its place. What is missed all the same must fail, and say so. */
  contents: string;
}

/** Why each is not missed is in docs/decisions/0009-what-the-bundles-leave-out.md. */
const REPLACEMENTS: Replacement[] = [
  {
    package: '@aws-sdk/credential-provider-node',
    file: 'dist-es/index.js',
    contents: "export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';",
  },
  {
    package: '@smithy/core',
    file: 'dist-es/submodules/event-streams/index.js',
    contents: "throw new Error('Event streams are not in this bundle (scripts/lean-bundle.ts).');",
  },
  {
    package: 'aws-jwt-verify',
    file: 'dist/esm/https-node.js',
    contents: "export function fetch() { throw new Error('Not in this bundle (scripts/lean-bundle.ts).'); }",
  },
];

/**
 * The esbuild plugin that leaves them out. A bundle that has the package and not the file fails: a package that moved
 * its files must not make bundles fat unnoticed.
 */
function leaveOut(): Plugin {
  return {
    name: 'leave-out',
    setup({ onLoad, onEnd }) {
      const replaced = new Set<Replacement>();
      for (const replacement of REPLACEMENTS) {
        const path = `/node_modules/${replacement.package}/${replacement.file}`;
        const filter = new RegExp(`${path.replaceAll('.', '\\.').replaceAll('/', '[\\\\/]')}$`);
        onLoad({ filter }, (args) => {
          replaced.add(replacement);
          return { contents: replacement.contents, loader: 'js', resolveDir: dirname(args.path) };
        });
      }
      onEnd(({ metafile }) => {
        const bundled = Object.keys(metafile?.inputs ?? {});
        const missed = REPLACEMENTS.filter(
          (replacement) =>
            !replaced.has(replacement) &&
            bundled.some((file) => file.includes(`node_modules/${replacement.package}/`)),
        );
        return {
          errors: missed.map(({ package: name, file }) => ({ text: `${name} has no ${file} to leave out.` })),
        };
      });
    },
  };
}
