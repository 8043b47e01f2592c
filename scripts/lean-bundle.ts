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
    plugins: [leaveOut([...NOT_ON_LAMBDA, ...NOT_WITH_OUR_CLIENTS])],
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

/** What is in the place of functions and classes that nothing calls. */
function uncalled(...names: string[]): string {
  const exports = names.map(
    (name) => `export function ${name}() { throw new Error('${name} is not in this bundle.'); }`,
  );
  return exports.join('\n');
}

/** What is in the place of a middleware that is put on every client. */
function noMiddleware(plugin: string, ...others: string[]): string {
  return `export const ${plugin} = () => ({ applyToStack() {} }); ${uncalled(...others)}`;
}

// Why each is not missed is in docs/decisions/0009-what-the-bundles-leave-out.md.

/** What any Lambda function can do without. */
export const NOT_ON_LAMBDA: Replacement[] = [
  {
    package: '@aws-sdk/credential-provider-node',
    file: 'dist-es/index.js',
    contents: `
      import { fromEnv } from '@aws-sdk/credential-provider-env';
      export function defaultProvider(init) {
        const read = fromEnv(init);
        let found;
        return () => (found ??= read());
      }`,
  },
  {
    package: '@smithy/core',
    file: 'dist-es/submodules/event-streams/index.js',
    contents: "throw new Error('Event streams are not in this bundle (scripts/lean-bundle.ts).');",
  },
];

/** What clients can do without that are told as much as those of lambda/aws/clients.ts. */
const NOT_WITH_OUR_CLIENTS: Replacement[] = [
  {
    package: '@aws-sdk/client-chime-sdk-meetings',
    file: 'dist-es/endpoint/endpointResolver.js',
    contents: uncalled('defaultEndpointResolver'),
  },
  {
    package: '@aws-sdk/client-chime-sdk-meetings',
    file: 'package.json',
    contents: 'export default {};',
  },
  {
    package: '@aws-sdk/client-dynamodb',
    file: 'dist-es/endpoint/endpointResolver.js',
    contents: uncalled('defaultEndpointResolver'),
  },
  {
    package: '@aws-sdk/client-dynamodb',
    file: 'package.json',
    contents: 'export default {};',
  },
  {
    package: '@aws-sdk/core',
    file: 'dist-es/submodules/client/emitWarningIfUnsupportedVersion.js',
    contents: 'export const state = {}; export function emitWarningIfUnsupportedVersion() {}',
  },
  {
    package: '@aws-sdk/core',
    file: 'dist-es/submodules/client/middleware-logger/loggerMiddleware.js',
    contents: noMiddleware('getLoggerPlugin', 'loggerMiddleware', 'loggerMiddlewareOptions'),
  },
  {
    package: '@aws-sdk/core',
    file: 'dist-es/submodules/client/middleware-recursion-detection/getRecursionDetectionPlugin.js',
    contents: noMiddleware('getRecursionDetectionPlugin'),
  },
  {
    package: '@aws-sdk/core',
    file: 'dist-es/submodules/client/middleware-user-agent/user-agent-middleware.js',
    contents: noMiddleware('getUserAgentPlugin', 'userAgentMiddleware', 'getUserAgentMiddlewareOptions'),
  },
  {
    package: '@aws-sdk/core',
    file: 'dist-es/submodules/client/util-user-agent-node/defaultUserAgent.js',
    contents: uncalled('createDefaultUserAgentProvider', 'defaultUserAgent', 'crtAvailability'),
  },
  {
    package: '@aws-sdk/core',
    file: 'dist-es/submodules/client/util-endpoints/aws.js',
    contents: 'export const awsEndpointFunctions = {};',
  },
  {
    package: '@aws-sdk/middleware-endpoint-discovery',
    file: 'dist-es/index.js',
    contents: `
      export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {};
      export const resolveEndpointDiscoveryConfig = (config) => config;`,
  },
  {
    package: '@smithy/core',
    file: 'dist-es/submodules/checksum/sha256/Sha256Node.js',
    contents: uncalled('Sha256Node'),
  },
  {
    package: '@smithy/core',
    file: 'dist-es/submodules/config/config-resolver/regionConfig/getInstanceMetadataRegion.js',
    contents: uncalled('getInstanceMetadataRegion'),
  },
  {
    package: '@smithy/core',
    file: 'dist-es/submodules/config/defaults-mode/resolveDefaultsModeConfig.js',
    contents: 'export const resolveDefaultsModeConfig = ({ defaultsMode }) => async () => defaultsMode;',
  },
  {
    package: '@smithy/core',
    file: 'dist-es/submodules/config/node-config-provider/configLoader.js',
    contents: `
      export const loadConfig = () => () => {
        throw new Error('A setting that lambda/aws/clients.ts does not say.');
      };`,
  },
  {
    package: '@smithy/core',
    file: 'dist-es/submodules/retry/util-retry/AdaptiveRetryStrategy.js',
    contents: uncalled('AdaptiveRetryStrategy'),
  },
  {
    package: '@smithy/core',
    file: 'dist-es/submodules/serde/schema-serde-lib/schema-date-utils.js',
    contents: uncalled('_parseEpochTimestamp', '_parseRfc3339DateTimeWithOffset', '_parseRfc7231DateTime'),
  },
  {
    package: '@smithy/core',
    file: 'dist-es/submodules/serde/util-stream/sdk-stream-mixin.js',
    contents: uncalled('sdkStreamMixin'),
  },
  {
    package: '@smithy/signature-v4',
    file: 'dist-es/HeaderFormatter.js',
    contents: 'export class HeaderFormatter {}',
  },
  {
    package: '@aws-lambda-powertools/logger',
    file: 'lib/esm/logBuffer.js',
    contents: uncalled('SizedItem', 'SizedSet', 'CircularMap'),
  },
];

/**
 * The esbuild plugin that leaves files out. A bundle that has the package and not the file fails: a package that moved
 * its files must not make bundles fat unnoticed.
 */
export function leaveOut(replacements: Replacement[]): Plugin {
  return {
    name: 'leave-out',
    setup({ onLoad, onEnd }) {
      const replaced = new Set<Replacement>();
      for (const replacement of replacements) {
        const path = `/node_modules/${replacement.package}/${replacement.file}`;
        const filter = new RegExp(`${path.replaceAll('.', '\\.').replaceAll('/', '[\\\\/]')}$`);
        onLoad({ filter }, (args) => {
          replaced.add(replacement);
          return { contents: replacement.contents, loader: 'js', resolveDir: dirname(args.path) };
        });
      }
      onEnd(({ metafile }) => {
        const bundled = Object.keys(metafile?.inputs ?? {});
        const missed = replacements.filter(
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
