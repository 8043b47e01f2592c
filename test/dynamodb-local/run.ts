import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

// Runs the audit's tests against AWS's own DynamoDB Local instead of dynalite: `npm run test:dynamodb-local`. It needs
// Java 17 and Maven, which brings DynamoDB Local from Maven Central, and ends with 3 where it can't have them. Of two
// generations, since they come from different groups and names of errors have changed before.
const VERSIONS = [
  {
    groupId: 'com.amazonaws',
    version: '2.6.1',
    main: 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
  },
  {
    groupId: 'software.amazon.dynamodb',
    version: '3.1.0',
    main: 'software.amazon.dynamodb.services.local.main.ServerRunner',
  },
];
type Version = (typeof VERSIONS)[number];
const SUITES = [
  'test/cli/audit',
  'test/lambda/audit/audit-log',
  'test/lambda/audit/facts',
  'test/lambda/audit/tables',
  'test/budgets/request-units',
];

for (const version of VERSIONS) {
  const directory = mkdtempSync(path.join(tmpdir(), 'usher-dynamodb-local-'));
  try {
    process.exitCode ||= await run(version, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function run(wanted: Version, directory: string): Promise<number> {
  const { version, main } = wanted;
  const missing = download(wanted, directory);
  if (missing !== undefined) {
    console.error(`*** NOT RUN: DynamoDB Local ${version} is not available here: ${missing}`);
    return 3;
  }
  const port = await freePort();
  const server = spawn(
    'java',
    [
      `-Djava.library.path=${directory}`,
      '-cp',
      path.join(directory, '*'),
      main,
      '-inMemory',
      // Else it keeps tables apart by access key, and tests use several.
      '-sharedDb',
      '-disableTelemetry',
      '-port',
      String(port),
    ],
    // It leaves a file where it runs, and would call home.
    { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  try {
    const url = `http://127.0.0.1:${port}`;
    await untilItAnswers(url);
    console.log(`DynamoDB Local ${version} listens at ${url}.`);
    const { status } = spawnSync(
      'npm',
      ['run', '--silent', 'jest', '--', '--selectProjects', 'unit', 'system', '--runInBand', '--', ...SUITES],
      { stdio: 'inherit', env: { ...process.env, USHER_TEST_DYNAMODB_URL: url } },
    );
    return status ?? 1;
  } finally {
    server.kill();
  }
}

/** @returns why it is not available, if it is not */
function download({ groupId, version }: Version, directory: string): string | undefined {
  writeFileSync(
    path.join(directory, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0">
      <modelVersion>4.0.0</modelVersion>
      <groupId>usher</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
      <dependencies><dependency>
        <groupId>${groupId}</groupId><artifactId>DynamoDBLocal</artifactId><version>${version}</version>
      </dependency></dependencies>
    </project>`,
  );
  const { error, status, stdout } = spawnSync(
    'mvn',
    ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${directory}`],
    { cwd: directory, encoding: 'utf8', timeout: 300_000 },
  );
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stdout.trim().split('\n', 1)[0];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}

async function untilItAnswers(url: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    try {
      await fetch(url);
      return;
    } catch {
      await pause(100);
    }
  }
  throw new Error('DynamoDB Local does not answer.');
}
