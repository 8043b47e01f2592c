// One transformer for every project: types are stripped, nothing is type-checked here (`npm run typecheck` does that).
const project = (displayName, testMatch) => ({
  displayName,
  testMatch,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // Jest's import of a CommonJS module reads each of its exports, which loads every service module of CDK's index.
  moduleNameMapper: { '^aws-cdk-lib$': 'aws-cdk-lib/core' },
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.js' },
  // What bundling and synthesizing leave behind holds package manifests that would collide with ours.
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/cdk.out/', '<rootDir>/.local/'],
});

/**
 * `unit`: pure or in-process, quick. `system`: real processes over HTTP. `full`: the long suites of `npm run test:full`.
 * `deploy`: what `npm run test:deploy` runs once its emulator is installed.
 */
export default {
  // Most suites wait for processes and servers of their own: a core kept free for jest itself would be idle.
  maxWorkers: '100%',
  // Jest keeps what it loads as ES modules, some 25 MB a file: a worker that ends with a gigabyte takes longer than the half
  // second that jest gives it, and is said not to exit. The limit is on the heap; the process has half as much again.
  workerIdleMemoryLimit: '500MB',
  // Tests that start processes take a second here, and many on one busy core: a limit is there to end what hangs.
  testTimeout: 30_000,
  projects: [
    project('unit', ['<rootDir>/test/**/*.test.ts']),
    project('system', ['<rootDir>/test/**/*.system.ts']),
    project('full', ['<rootDir>/test/**/*.full.ts']),
    project('deploy', ['<rootDir>/test/deploy/**/*.deploy.ts']),
  ],
};
