import { describe, expect, it } from '@jest/globals';
import { Duration } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { checkSettings, completeSettings } from '../../../lib/settings/complete.ts';
import type { FacadeSettings } from '../../../lib/settings/props.ts';
import { problemOf } from '../../support/configuration-error.ts';
import { createIssuerEntry } from '../../support/issuer-rules.ts';

const issuer = createIssuerEntry();

/** As settings come from somewhere else than typed code. */
const complete = (settings: object) => completeSettings(settings as FacadeSettings, 'name');

describe('completeSettings', () => {
  it('needs nothing', () => {
    expect(complete({})).toEqual({
      production: true,
      stageName: 'v1',
      allowedOrigins: [],
      allowedHeaders: [],
      issuers: [],
      cognito: {},
      audit: {},
      events: {},
      seals: {},
      reconciler: { marginSeconds: 45, secondLookSeconds: 60 },
      firewall: { requestsPerFiveMinutes: 3000 },
      alarms: {
        runbookUrl: 'docs/runbook.md',
        denialsPerFiveMinutes: 100,
        aboveCeilingPerFiveMinutes: 50,
        serverErrorsPerMinute: 3,
        latencyMs: 5000,
      },
      logs: { retentionDays: 30, level: 'INFO', access: false, accountRole: false },
      limits: {
        requestsPerSecond: 100,
        burst: 200,
        memoryMb: 1024,
        timeoutSeconds: 20,
        tableWriteUnitsPerSecond: 4000,
        tableReadUnitsPerSecond: 4000,
      },
      deployment: {},
    });
  });

  it.each<[string, FacadeSettings]>([
    ['none', {}],
    ['issuers', { issuers: [issuer], allowedOrigins: ['https://app.example.com'] }],
    [
      'much',
      {
        production: false,
        meetingsRegion: 'eu-central-1',
        cognito: { domainPrefix: 'doors', resourceServer: 'https://meetings.example.com' },
        firewall: { enabled: true, requestsPerFiveMinutes: 10 },
        logs: { access: true, accountRole: true, retentionDays: 3653, level: 'DEBUG' },
        limits: {
          reservedConcurrency: 20,
          provisionedConcurrency: 20,
          preflightsPerSecond: 5,
          preflightBurst: 5,
        },
        deployment: { canaryMinutes: 30 },
      },
    ],
  ])('leaves %s as they are, once they are complete', (_what, settings) => {
    const once = complete(settings);
    expect(complete(once)).toEqual(once);
    expect(once).toMatchObject(settings);
  });

  it.each([
    'https://app.example.com',
    'https://app.example.com:8443',
    'http://localhost:3000',
    'http://localhost:*',
    'http://127.0.0.1:*',
    'http://[::1]:*',
    'https://localhost:*',
    'capacitor://localhost',
    'ionic://localhost',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
  ])('accepts the origin %s', (origin) => {
    expect(problemOf(() => complete({ allowedOrigins: [origin] }))).toBeUndefined();
  });

  it.each([
    ['*', 'has a wildcard'],
    ['https://*.example.com', 'has a wildcard'],
    ['http://*:*', 'has a wildcard'],
    ['https://app.example.com:*', 'allows any port'],
    ['http://app.example.com', 'is not https'],
    ['http://localhost.example.com', 'is not https'],
    ['https://app.example.com/', 'would never match; write https://app.example.com'],
    ['https://app.example.com/path', 'would never match; write https://app.example.com'],
    ['https://App.example.com', 'would never match; write https://app.example.com'],
    ['https://app.example.com:443', 'would never match; write https://app.example.com'],
    ['http://localhost/:*', 'would never match; write http://localhost:*'],
    ['app.example.com', 'is not an origin'],
    ['null', 'is not an origin'],
    ['null', 'is not an origin: browsers send it for every page that has none'],
    ['file://', 'is not an origin: browsers send null for files'],
    ['file:///home/index.html', 'is not an origin: browsers send null for files'],
    ['capacitor://localhost/', 'write capacitor://localhost'],
    ['capacitor://localhost:*', 'write capacitor://localhost'],
    ['Ionic://localhost', 'write capacitor://localhost'],
    ['chrome-extension://*', 'has a wildcard'],
    ['chrome-extension://my-extension', 'the 32 letters (a to p)'],
    ['chrome-extension://abcdefghijklmnopabcdefghijklmnop/popup.html', 'the 32 letters (a to p)'],
    ['file:///', 'is not an origin'],
  ])('rejects the origin %s', (origin, why) => {
    const message = problemOf(() => complete({ allowedOrigins: [origin] }));
    expect(message).toContain(`name: allowedOrigins[0]: "${origin}" `);
    expect(message).toContain(why);
  });

  it.each(['x-correlation-id', 'X-Request-ID', 'b3', 'x_b3!'])('accepts the header %s', (header) => {
    expect(complete({ allowedHeaders: [header] }).allowedHeaders).toEqual([header]);
  });

  it.each([
    ['*', 'is not the name of a header'],
    ['x-correlation id', 'is not the name of a header'],
    ['x-a,x-b', 'is not the name of a header'],
    ['', 'is not the name of a header'],
    ['Cookie', 'no page can set'],
    ['sec-fetch-site', 'no page can set'],
  ])('rejects the header %s', (header, why) => {
    const message = problemOf(() => complete({ allowedHeaders: [header] }));
    expect(message).toContain('name: allowedHeaders[0]: ');
    expect(message).toContain(why);
  });

  it.each<[string, object, string]>([
    [
      'an unknown key further down',
      { audit: { retentionDay: 90 } },
      'name: audit: unknown key "retentionDay"',
    ],
    [
      'an unknown key in an issuer',
      { issuers: [{ ...issuer, tenant: 'acme' }] },
      'name: issuers[0]: unknown key "tenant"',
    ],
    [
      'an unsafe issuer',
      { issuers: [{ ...issuer, audience: [] }] },
      'name: issuers[0].audience: neither audience nor clientIds',
    ],
    [
      'a meetings Region without meetings',
      { meetingsRegion: 'eu-west-1' },
      'name: meetingsRegion: eu-west-1 has no Chime SDK meetings endpoint',
    ],
    ['a stage with a hyphen', { stageName: 'v-1' }, 'name: stageName: API Gateway allows'],
    ['a stage with a slash', { stageName: 'v1/' }, 'name: stageName: API Gateway allows'],
    [
      'a reconciler that does not wait',
      { reconciler: { marginSeconds: 0 } },
      'name: reconciler.marginSeconds: ',
    ],
    [
      'a second look when the meeting has long ended',
      { reconciler: { secondLookSeconds: 241 } },
      'name: reconciler.secondLookSeconds: ',
    ],
    ['an audit kept too short', { audit: { retentionDays: 6 } }, 'name: audit.retentionDays: '],
    ['an audit kept for half a day', { audit: { retentionDays: 7.5 } }, 'name: audit.retentionDays: '],
    [
      'a log retention that CloudWatch does not know',
      { logs: { retentionDays: 8 } },
      'name: logs.retentionDays: is not a log retention of CloudWatch Logs; choose one of these numbers of days: 1, 3, 5, 7, 14, ',
    ],
    [
      'preflights throttled below their rate',
      { limits: { preflightsPerSecond: 300 } },
      'name: limits.preflightBurst: is below preflightsPerSecond',
    ],
    ['a log level that is none', { logs: { level: 'debug' } }, 'name: logs.level: must be DEBUG or INFO'],
    [
      'a log level that blinds the alarms',
      { logs: { level: 'WARN' } },
      'name: logs.level: must be DEBUG or INFO: above INFO, ',
    ],
    [
      'a function that has no time left beside what it keeps for recording',
      { limits: { timeoutSeconds: 4 } },
      'name: limits.timeoutSeconds: ',
    ],
    [
      'a function that outlives the request',
      { limits: { timeoutSeconds: 29 } },
      'name: limits.timeoutSeconds: ',
    ],
    [
      'a burst below the rate',
      { limits: { requestsPerSecond: 300 } },
      'name: limits.burst: is below requestsPerSecond',
    ],
    [
      'a pool that would not be made',
      { issuers: [issuer], cognito: { domainPrefix: 'usher' } },
      'name: cognito: is given together with issuers',
    ],
    [
      'a word that Cognito keeps for itself',
      { cognito: { domainPrefix: 'my-aws-usher' } },
      'name: cognito.domainPrefix: Cognito allows',
    ],
    ['a key that belongs to a configuration file', { stackName: 'usher' }, 'name: unknown key "stackName"'],
    [
      'a resource server that no scope could begin with',
      { cognito: { resourceServer: 'my server' } },
      'name: cognito.resourceServer: is not the identifier of a resource server',
    ],
    [
      'fewer requests of an address than WAF can count',
      { firewall: { requestsPerFiveMinutes: 9 } },
      'name: firewall.requestsPerFiveMinutes: ',
    ],
    [
      'a latency that the gateway never reaches',
      { alarms: { latencyMs: 30_000 } },
      'name: alarms.latencyMs: ',
    ],
    ['a surge of none', { alarms: { denialsPerFiveMinutes: 0 } }, 'name: alarms.denialsPerFiveMinutes: '],
    [
      'a canary that CodeDeploy does not know',
      { deployment: { canaryMinutes: 7 } },
      'name: deployment.canaryMinutes: ',
    ],
    [
      'no concurrency, which would admit no one',
      { limits: { reservedConcurrency: 0 } },
      'name: limits.reservedConcurrency: ',
    ],
    [
      'more kept started than may run',
      { limits: { reservedConcurrency: 2, provisionedConcurrency: 3 } },
      'name: limits.provisionedConcurrency: is above reservedConcurrency',
    ],
    [
      'a change of the whole account that nothing needs, as access logs are off',
      { logs: { accountRole: true } },
      'name: logs.accountRole: is set without logs.access',
    ],
  ])('rejects %s', (_what, settings, message) => {
    const problem = problemOf(() => complete(settings));
    expect(problem?.slice(0, message.length)).toBe(message);
    expect(problem).not.toContain('\n');
  });

  it.each<[string, object, string]>([
    [
      'a number below its bounds',
      { limits: { memoryMb: 64 } },
      'limits.memoryMb: is 64; it must be at least 128',
    ],
    [
      'a number above its bounds',
      { limits: { memoryMb: 2e4 } },
      'limits.memoryMb: is 20000; it must be at most 10240',
    ],
    ['a part of a number', { limits: { burst: 200.5 } }, 'limits.burst: is 200.5; it must be a whole number'],
    ['a number as a string', { limits: { burst: '200' } }, 'limits.burst: is "200"; it must be a number'],
    [
      'a value that is none of several',
      { deployment: { canaryMinutes: 7 } },
      'deployment.canaryMinutes: is 7; it must be 5, 10, 15 or 30',
    ],
    ['a list for a group', { limits: [] }, 'limits: is a list; it must be an object'],
    [
      'nothing for a name',
      { issuers: [{ ...issuer, scopeClaim: '' }] },
      'issuers[0].scopeClaim: is empty; at least one is required',
    ],
  ])('says for %s what is wrong, where, and what to do', (_what, settings, message) => {
    expect(problemOf(() => complete(settings))).toBe(`name: ${message}`);
  });

  it('accepts a duration for a key with a unit of time, and an infinite retention', () => {
    const { complete: settings } = checkSettings({
      issuers: [{ ...issuer, clockSkewSeconds: Duration.minutes(1) }],
      limits: { timeoutSeconds: Duration.millis(10_000) },
      alarms: { latencyMs: Duration.seconds(2) },
      logs: { retentionDays: RetentionDays.INFINITE },
      audit: { retentionDays: Duration.days(400) },
      reconciler: { marginSeconds: Duration.minutes(1), secondLookSeconds: Duration.seconds(50) },
    });
    expect(settings).toMatchObject({
      issuers: [{ clockSkewSeconds: 60 }],
      limits: { timeoutSeconds: 10 },
      alarms: { latencyMs: 2_000 },
      logs: { retentionDays: 9_999 },
      audit: { retentionDays: 400 },
      reconciler: { marginSeconds: 60, secondLookSeconds: 50 },
    });
    const kept = checkSettings({ audit: { retentionDays: RetentionDays.INFINITE } }).complete;
    expect(kept?.audit).toEqual({});
    expect(checkSettings({ audit: { retentionDays: Duration.hours(200) } }).problems).toEqual([
      expect.stringMatching(/^audit\.retentionDays: is 8\.33/),
    ]);
  });

  it('quotes a value of several lines in one line', () => {
    const problem = problemOf(() => complete({ allowedOrigins: ['a\nb'] }));
    expect(problem).toContain('allowedOrigins[0]');
    expect(problem).not.toContain('\n');
  });
});

describe('checkSettings', () => {
  it('reports all problems together', () => {
    const { complete: settings, problems } = checkSettings({
      limits: { memoryMb: 64, burst: 0 },
      audit: { retentionDays: 1 },
    });
    expect(settings).toBeUndefined();
    expect(problems.toSorted()).toEqual([
      'audit.retentionDays: is 1; it must be at least 7',
      'limits.burst: is 0; it must be at least 1',
      'limits.memoryMb: is 64; it must be at least 128',
    ]);
  });
});
