import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { loadConfig, parseConfig } from '../../lib/config.ts';
import { Refusal } from '../../lib/refusal.ts';

const minimal = { stackName: 'usher-test' };
const issuer = {
  issuer: 'https://login.example.com',
  audience: ['https://meetings.example.com'],
  accessToken: 'at+jwt',
  scopes: { delegate: 'attendees.create' },
};

/** What a configuration is refused with, or undefined. Anything else than a refusal is a bug and fails the test. */
function refusal(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

describe('parseConfig', () => {
  it('needs no more than a stack name', () => {
    expect(parseConfig(minimal, 'config/test.json')).toEqual({
      stackName: 'usher-test',
      tags: {},
      stageName: 'v1',
      allowedOrigins: [],
      issuers: [],
      audit: {},
      reconciler: { marginSeconds: 45, secondLookSeconds: 60 },
      alarms: {},
      logs: { retentionDays: 30, level: 'INFO', access: false },
      limits: { requestsPerSecond: 100, burst: 200, memoryMb: 1024, timeoutSeconds: 20 },
    });
  });

  it('leaves a complete configuration as it is', () => {
    const once = parseConfig({ ...minimal, issuers: [issuer] }, 'config/test.json');
    expect(parseConfig(once, 'config/test.json')).toEqual(once);
  });

  it.each([
    'https://app.example.com',
    'https://app.example.com:8443',
    'http://localhost:3000',
    'http://localhost:*',
    'http://127.0.0.1:*',
    'http://[::1]:*',
    'https://localhost:*',
  ])('accepts the origin %s', (origin) => {
    expect(refusal(() => parseConfig({ ...minimal, allowedOrigins: [origin] }, 'file'))).toBeUndefined();
  });

  it.each([
    ['*', 'has a wildcard'],
    ['https://*.example.com', 'has a wildcard'],
    ['http://*:*', 'has a wildcard'],
    ['https://app.example.com:*', 'leaves the port open'],
    ['http://app.example.com', 'is not https'],
    ['http://localhost.example.com', 'is not https'],
    ['https://app.example.com/', 'would never match; write https://app.example.com'],
    ['https://app.example.com/path', 'would never match; write https://app.example.com'],
    ['https://App.example.com', 'would never match; write https://app.example.com'],
    ['https://app.example.com:443', 'would never match; write https://app.example.com'],
    ['http://localhost/:*', 'would never match; write http://localhost:*'],
    ['app.example.com', 'is not an origin'],
    ['null', 'is not an origin'],
    ['file:///', 'is not an origin'],
  ])('refuses the origin %s', (origin, why) => {
    const message = refusal(() => parseConfig({ ...minimal, allowedOrigins: [origin] }, 'file'));
    expect(message).toContain(`file: allowedOrigins[0]: "${origin}" `);
    expect(message).toContain(why);
  });

  it.each<[string, unknown, string]>([
    ['no object', 5, 'file: Invalid input: expected object'],
    ['no stack name', {}, 'file: stackName: Invalid input: expected string'],
    [
      'a stack name CloudFormation refuses',
      { stackName: 'usher_dev' },
      'file: stackName: CloudFormation allows',
    ],
    ['an unknown key', { ...minimal, isuers: [] }, 'file: unknown key "isuers"; a misspelt rule'],
    [
      'an unknown key further down',
      { ...minimal, audit: { retentionDay: 90 } },
      'file: audit: unknown key "retentionDay"',
    ],
    [
      'an unknown key in an issuer',
      { ...minimal, issuers: [{ ...issuer, tenant: 'acme' }] },
      'file: issuers[0]: unknown key "tenant"',
    ],
    [
      'an unsafe issuer',
      { ...minimal, issuers: [{ ...issuer, audience: [] }] },
      'file: issuers[0].audience: neither audience nor clientIds',
    ],
    [
      'a Region that is none',
      { ...minimal, region: 'Frankfurt' },
      'file: region: is not the name of a Region',
    ],
    [
      'a Region without meetings',
      { ...minimal, region: 'eu-west-1' },
      'file: region: eu-west-1 has no Chime SDK meetings endpoint, so every request would fail; set meetingsRegion to the Region that creates the meetings, one of us-east-1, us-west-2, ',
    ],
    [
      'a meetings Region without meetings',
      { ...minimal, region: 'us-east-1', meetingsRegion: 'eu-west-1' },
      'file: meetingsRegion: eu-west-1 has no Chime SDK meetings endpoint',
    ],
    [
      'an account that is none',
      { ...minimal, account: '1234' },
      'file: account: an AWS account is 12 digits',
    ],
    ['a stage with a slash', { ...minimal, stageName: 'v1/' }, 'file: stageName: API Gateway allows'],
    [
      'a reconciler that does not wait',
      { ...minimal, reconciler: { marginSeconds: 0 } },
      'file: reconciler.marginSeconds: ',
    ],
    [
      'a second look when the meeting has long ended',
      { ...minimal, reconciler: { secondLookSeconds: 241 } },
      'file: reconciler.secondLookSeconds: ',
    ],
    [
      'alarms for nobody',
      { ...minimal, alarms: { topicArn: 'on-call' } },
      'file: alarms.topicArn: is not the ARN of an SNS topic',
    ],
    ['an audit kept too short', { ...minimal, audit: { retentionDays: 6 } }, 'file: audit.retentionDays: '],
    [
      'an audit kept for half a day',
      { ...minimal, audit: { retentionDays: 7.5 } },
      'file: audit.retentionDays: ',
    ],
    [
      'a log retention that CloudWatch does not know',
      { ...minimal, logs: { retentionDays: 8 } },
      'file: logs.retentionDays: CloudWatch Logs knows only these numbers of days: 1, 3, 5, 7, 14, ',
    ],
    ['a log level that is none', { ...minimal, logs: { level: 'debug' } }, 'file: logs.level: '],
    [
      'a function that has no time left beside what it keeps for recording',
      { ...minimal, limits: { timeoutSeconds: 4 } },
      'file: limits.timeoutSeconds: ',
    ],
    [
      'a function that outlives the request',
      { ...minimal, limits: { timeoutSeconds: 29 } },
      'file: limits.timeoutSeconds: ',
    ],
    [
      'a burst below the rate',
      { ...minimal, limits: { requestsPerSecond: 300 } },
      'file: limits.burst: is below requestsPerSecond',
    ],
    [
      'a pool that would not be made',
      { ...minimal, issuers: [issuer], cognito: { domainPrefix: 'usher' } },
      'file: cognito: is given beside issuers',
    ],
    [
      'a word that Cognito keeps for itself',
      { ...minimal, cognito: { domainPrefix: 'my-aws-usher' } },
      'file: cognito.domainPrefix: Cognito allows',
    ],
  ])('refuses %s', (_what, value, message) => {
    const refused = refusal(() => parseConfig(value, 'file'));
    expect(refused?.slice(0, message.length)).toBe(message);
    expect(refused).not.toContain('\n');
  });

  it("refuses issuers that don't fit into a function's environment, with the sizes", () => {
    const clients = (count: number) => ({
      ...minimal,
      issuers: [{ ...issuer, clientIds: Array.from({ length: count }, (_, n) => `client-${1000 + n}`) }],
    });
    expect(refusal(() => parseConfig(clients(180), 'file'))).toBeUndefined();
    expect(refusal(() => parseConfig(clients(250), 'file'))).toMatch(
      /^file: issuers: take 3\d{3} bytes and allowedOrigins 2, but a Lambda function's environment has room for 3200 of them/,
    );
  });

  it('refuses in one line what is quoted from several', () => {
    const refused = refusal(() => parseConfig({ ...minimal, allowedOrigins: ['a\nb'] }, 'file'));
    expect(refused).toContain('allowedOrigins[0]');
    expect(refused).not.toContain('\n');
  });
});

describe('loadConfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'usher-config-'));
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  afterAll(() => rmSync(folder, { recursive: true }));

  it('reads a file', () => {
    expect(loadConfig(write('good.json', '{"stackName":"usher-test"}')).stackName).toBe('usher-test');
  });

  it('names a file that is missing', () => {
    const file = join(folder, 'missing.json');
    expect(refusal(() => loadConfig(file))).toBe(`${file}: there is no such file`);
  });

  it("names a file that can't be read", () => {
    const file = join(folder, 'folder.json');
    mkdirSync(file);
    expect(refusal(() => loadConfig(file))).toMatch(/folder\.json: can't be read: EISDIR/);
  });

  it('says in one line where the JSON is wrong', () => {
    const file = write('bad.json', '{\n  "stackName": "usher",\n}\n');
    const refused = refusal(() => loadConfig(file));
    expect(refused).toMatch(/bad\.json: is not JSON: /);
    expect(refused).not.toContain('\n');
  });

  it('names the file of a configuration that it refuses', () => {
    const file = write('refused.json', '{"stackName":"usher","typo":1}');
    expect(refusal(() => loadConfig(file))).toBe(
      `${file}: unknown key "typo"; a misspelt rule would be no rule`,
    );
  });

  it.each(['dev', 'example-oidc'])('accepts config/%s.json', (env) => {
    expect(refusal(() => loadConfig(`config/${env}.json`))).toBeUndefined();
  });

  it('accepts config/local.json once its issuer is running', () => {
    const text = readFileSync('config/local.json', 'utf8');
    const running = text.replace('"issuer": "local"', '"issuer": "http://127.0.0.1:4010"');
    expect(running).not.toBe(text);
    expect(refusal(() => parseConfig(JSON.parse(running), 'config/local.json'))).toBeUndefined();
  });
});
