import { type BuildOptions, build, type Metafile } from 'esbuild';

/**
 * How a Lambda function is bundled, and the benchmarks' variants: as CommonJS, which starts faster than an ES module on
 * Lambda's Node, and without the credential providers that Lambda never uses
 * (docs/decisions/0019-the-sdk-as-it-comes.md).
 */
const LEAN: BuildOptions = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  mainFields: ['module', 'main'],
  // The SDK imports each of these to look for credentials there. On Lambda it finds them in the environment first.
  external: [
    '@aws-sdk/credential-provider-http',
    '@aws-sdk/credential-provider-ini',
    '@aws-sdk/credential-provider-process',
    '@aws-sdk/credential-provider-sso',
    '@aws-sdk/credential-provider-web-identity',
    '@smithy/credential-provider-imds',
  ],
  // They are in a file beside the bundle, with the licences that have no comment (scripts/third-party-notices.ts).
  legalComments: 'none',
  logLevel: 'warning',
};

/**
 * Bundles one entry point with its imports into one file.
 *
 * @param options added to the lean ones, or replacing them
 * @returns the inputs of the bundle, with bytes by input file
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
    ...options,
    metafile: true,
  });
  return metafile;
}
