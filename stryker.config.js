import jest from './jest.config.js';

/** Each is mutated, and has its tests where they mirror it. */
const modules = [
  'create-attendees/policy',
  'create-attendees/meeting-access',
  'create-attendees/caller-budget',
  'create-attendees/bounded-map',
  'oidc/token-verifier',
  'oidc/jwks-cache',
  'create-attendees/http/request',
];

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
      testMatch: modules.map((name) => `<rootDir>/test/lambda/${name}.test.ts`),
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
