import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { close, LOOPBACK, listen } from '../../local/http-server.ts';
import { createTestTables, REGION, type TestTables } from '../support/audit-command.ts';
import { startDatabase } from '../support/database.ts';
import { INCIDENT_CALLER, INTRUDER, seedIncident } from '../support/incident.ts';
import { createApp, createFolder, manifest, packPackage } from '../support/packed-package.ts';

// What an auditor does: runs the command of the packed package, alone in a folder, against a day of a thousand batches.
const DAY = '2026-11-23';
const folder = createFolder();
const app = join(folder, 'app');
let database: Awaited<ReturnType<typeof startDatabase>>;
let cloudFormation: Server;
let tables: TestTables;
let env: NodeJS.ProcessEnv;
let seeded: Awaited<ReturnType<typeof seedIncident>>;
let stacks: Record<string, string>;

beforeAll(async () => {
  const tarball = packPackage(folder);
  mkdirSync(app);
  createApp(app, tarball);
  database = await startDatabase();
  tables = await createTestTables(database.url, 'incident');
  seeded = await seedIncident(tables, Date.parse(`${DAY}T00:00:00Z`));
  const named = (name: string, value: string) =>
    `<member><OutputKey>${name}</OutputKey><OutputValue>${value}</OutputValue></member>`;
  const table = (logicalId: string, name: string) =>
    `<member><ResourceType>AWS::DynamoDB::Table</ResourceType><LogicalResourceId>${logicalId}0A1B2C3D</LogicalResourceId><PhysicalResourceId>${name}</PhysicalResourceId></member>`;
  const { auditTableName, admissionTableName, openIntentTableName } = tables;
  const resources = [
    table('MeetingsTablesAudit', auditTableName),
    table('MeetingsTablesAdmissions', admissionTableName),
    table('MeetingsTablesOpenIntents', openIntentTableName),
  ].join('');
  stacks = {
    whole: [
      named('AuditTableName', auditTableName),
      named('AdmissionTableName', admissionTableName),
      named('OpenIntentTableName', openIntentTableName),
    ].join(''),
    own: resources,
    two: resources + table('OthersTablesAudit', 'another'),
  };
  cloudFormation = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const found = stacks[form.get('StackName') ?? ''];
    if (found === undefined) {
      response.writeHead(400, { 'content-type': 'text/xml' });
      response.end(
        '<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id none does not exist</Message></Error></ErrorResponse>',
      );
      return;
    }
    const isStack = form.get('Action') === 'DescribeStacks';
    const inner = isStack
      ? `<Stacks><member><StackName>s</StackName><Outputs>${found.startsWith('<member><Output') ? found : ''}</Outputs></member></Stacks>`
      : `<StackResourceSummaries>${found}</StackResourceSummaries>`;
    const name = isStack ? 'DescribeStacks' : 'ListStackResources';
    response.writeHead(200, { 'content-type': 'text/xml' });
    response.end(`<${name}Response><${name}Result>${inner}</${name}Result></${name}Response>`);
  });
  env = {
    ...{ PATH: process.env['PATH'], HOME: folder, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' },
    ...{ AWS_REGION: REGION, AWS_ENDPOINT_URL_DYNAMODB: database.url },
    AWS_ENDPOINT_URL_CLOUDFORMATION: `http://${LOOPBACK}:${await listen(cloudFormation, 0)}`,
  };
}, 180_000);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await close(cloudFormation);
  await database.close();
});

/** Runs the command as npm links it. */
async function usher(...args: string[]) {
  const file = join(app, 'node_modules', manifest.name, manifest.bin.usher);
  const child = spawn(process.execPath, [file, ...args], {
    cwd: app,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

const audit = (...args: string[]) => usher('audit', '--stack', 'whole', ...args);
const HOUR = ['--since', `${DAY}T14:00`, '--until', `${DAY}T15:00`];
const callerId = Object.values(INCIDENT_CALLER).join('|');

describe('the command of the package', () => {
  it('is executable, needs no other package, and is small', () => {
    const file = join(app, 'node_modules', manifest.name, manifest.bin.usher);
    expect(statSync(file).mode & 0o111).toBe(0o111);
    expect(readFileSync(file, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(statSync(file).size).toBeLessThan(2_000_000);
    expect(Object.keys(manifest.peerDependencies)).toEqual(Object.keys(manifest.peerDependenciesMeta));
  });

  it('says who let a person in within an hour, what else that caller did, and writes a page of it', async () => {
    const admissions = await audit('--user', INTRUDER, ...HOUR, '--output', 'json');
    expect(JSON.parse(admissions.stdout)).toMatchObject([
      { batchId: seeded.batchId, meetingId: seeded.meetingId, result: 'issued', callerId },
    ]);
    const others = await audit('--caller', callerId, '--since', DAY, '--until', DAY, '--output', 'ndjson');
    const states = others.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).state);
    expect(states).toHaveLength(144);
    expect(new Set(states)).toEqual(
      new Set([
        ...['ISSUED', 'PARTIAL', 'FAILED', 'RECOVERED', 'NOT_ISSUED'],
        ...['UNRESOLVED', 'OPEN', 'DENIED'],
      ]),
    );
    const report = join(folder, 'caller.html');
    const made = await audit('--caller', callerId, ...HOUR, '--report', report);
    expect([made.code, made.stdout]).toEqual([0, '']);
    const page = readFileSync(report, 'utf8');
    expect(page).toContain(INTRUDER);
    expect(page).toContain(/sha256:[0-9a-f]{64}/.exec(made.stderr)?.[0] ?? 'no digest');
    expect(statSync(report).mode & 0o777).toBe(0o600);
  }, 60_000);

  it('answers which batches are unresolved or recovered since a day, and says what that cost', async () => {
    const { stdout, stderr } = await audit(
      ...['--since', DAY, '--until', DAY, '--state', 'unresolved,recovered', '--output', 'ndjson'],
    );
    expect(stdout.trimEnd().split('\n')).toHaveLength(100);
    expect(stderr).toContain('Read 951 to show 100');
  }, 60_000);

  it('finds the tables of a stack without outputs, and refuses one that has two, or does not exist', async () => {
    const asked = ['--batch', seeded.batchId, '--output', 'ndjson'];
    const [own, two, none] = await Promise.all(
      ['own', 'two', 'none'].map((stack) => usher('audit', '--stack', stack, ...asked)),
    );
    expect(JSON.parse(own?.stdout ?? '')).toMatchObject({ batchId: seeded.batchId, state: 'ISSUED' });
    expect([two?.code, two?.stderr]).toEqual([1, expect.stringContaining('give --table')]);
    expect([none?.code, none?.stderr]).toEqual([1, expect.stringContaining('does not exist')]);
  }, 60_000);

  it('says how it is used', async () => {
    const [help, unknown] = await Promise.all([usher('--help'), usher('audits')]);
    expect([help?.code, help?.stdout]).toEqual([0, expect.stringContaining('usher audit')]);
    expect([unknown?.code, unknown?.stderr]).toEqual([2, expect.stringContaining('usher audit')]);
  });
});
