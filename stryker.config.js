import jest from './jest.config.js';

/** Each is mutated, and has its tests in the folder that mirrors its own. */
const modules = [
  'create-attendees/policy',
  'create-attendees/meeting-access',
  'create-attendees/caller-budget',
  'create-attendees/bounded-map',
  'create-attendees/http/request',
  'oidc/caller',
  'oidc/claim-path',
  'oidc/fetch-key-set',
  'oidc/issuer-names',
  'oidc/key-choice',
  'oidc/key-set',
  'oidc/key-set-cache',
  'oidc/token-mark',
  'oidc/token-refusals',
  'oidc/token-verifier',
];

const folders = [...new Set(modules.map((name) => name.slice(0, name.lastIndexOf('/'))))];

const unit = jest.projects.find(({ displayName }) => displayName === 'unit');

/**
 * Mutation testing of what decides who may do what: `npm run mutate`. What survives is justified one by one in
 * docs/authorization.md; `break` leaves no room for more than a few others.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  mutate: modules.map((name) => `lambda/${name}.ts`),
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  jest: {
    projectType: 'custom',
    config: {
      ...unit,
      testMatch: folders.map((folder) => `<rootDir>/test/lambda/${folder}/*.test.ts`),
      setupFiles: ['<rootDir>/test/support/no-shrinking.ts'],
    },
  },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // Jest leaks what it loads as ES modules, some 50 MB a run.
  maxTestRunnerReuse: 20,
  reporters: ['clear-text', 'progress'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 100, low: 97, break: 97 },
  // Nothing reads it in the sandbox, and Stryker can't: TypeScript 7 has no API that it knows.
  tsconfigFile: 'none',
  // In a folder that git, linters and jest leave alone already, and that no build empties.
  tempDirName: '.local/mutation',
  ignorePatterns: ['cdk.out', '.local', 'coverage', 'docs', 'tools'],
};
