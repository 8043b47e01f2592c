import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { completeSettings, parseConfig } from '../../../lib/settings/complete.ts';
import { loadConfig } from '../../../lib/settings/config-file.ts';
import { problemOf } from '../../support/configuration-error.ts';
import { fullProduction, resourcesOf, synthesize, theResource } from '../../support/synthesize.ts';
import { alarmsOf } from '../../support/watched-metrics.ts';

const minimal = { stackName: 'usher-test' };

describe('parseConfig', () => {
  it('needs only a stack name', () => {
    expect(parseConfig(minimal, 'config/test.json')).toEqual({
      ...completeSettings({}, 'facade'),
      stackName: 'usher-test',
      tags: {},
    });
  });

  it.each([
    ['a minimal configuration', {}],
    ['one that asks for all there is', fullProduction],
  ])('leaves %s unchanged once complete', (_what, config) => {
    const once = parseConfig({ ...minimal, ...config }, 'config/test.json');
    expect(parseConfig(once, 'config/test.json')).toEqual(once);
    expect(once).toMatchObject(config);
  });

  const { domain } = fullProduction;

  /** The full configuration, but for one ARN of another Region. */
  function elsewhere(key: string): object {
    const { encryptionKeyArn, alarms } = fullProduction;
    const moved = (arn: string) => arn.replace('eu-central-1', 'eu-west-2');
    return {
      ...fullProduction,
      ...(key === 'encryptionKeyArn' && { encryptionKeyArn: moved(encryptionKeyArn) }),
      ...(key === 'domain.certificateArn' && {
        domain: { ...domain, certificateArn: moved(domain.certificateArn) },
      }),
      ...(key === 'alarms.topicArn' && { alarms: { topicArn: moved(alarms.topicArn) } }),
    };
  }

  it.each<[path: string, fact: string, config: unknown]>([
    ['', 'object', 5],
    ['stackName: ', 'missing', {}],
    ['stackName: ', 'CloudFormation', { stackName: 'usher_dev' }],
    ['', '"isuers"', { ...minimal, isuers: [] }],
    ['alarms: ', '"topic"', { ...minimal, alarms: { topic: 'on-call' } }],
    ['limits.burst: ', 'requestsPerSecond', { ...minimal, limits: { requestsPerSecond: 300 } }],
    ['region: ', 'Region', { ...minimal, region: 'Frankfurt' }],
    ['region: ', 'meetingsRegion', { ...minimal, region: 'eu-west-1' }],
    ['account: ', '12 digits', { ...minimal, account: '1234' }],
    ['alarms.topicArn: ', 'SNS', { ...minimal, alarms: { topicArn: 'on-call' } }],
    [
      'encryptionKeyArn: ',
      'KMS',
      { ...minimal, encryptionKeyArn: 'arn:aws:kms:eu-central-1:123456789012:alias/usher' },
    ],
    [
      'domain.name: ',
      'domain name',
      { ...minimal, domain: { ...domain, name: 'https://meetings.example.com' } },
    ],
    ['domain.certificateArn: ', 'missing', { ...minimal, domain: { name: domain.name } }],
    [
      'domain.certificateArn: ',
      'certificate',
      { ...minimal, domain: { ...domain, certificateArn: fullProduction.encryptionKeyArn } },
    ],
    [
      'domain.hostedZone.id: ',
      'hosted zone',
      { ...minimal, domain: { ...domain, hostedZone: { id: 'example.com', name: 'example.com' } } },
    ],
    ...['encryptionKeyArn', 'domain.certificateArn', 'alarms.topicArn'].map(
      (key): [string, string, unknown] => [`${key}: `, 'eu-west-2', { ...minimal, ...elsewhere(key) }],
    ),
  ])('rejects in one line, by its path and its mistake: %s%s', (path, fact, config) => {
    const problem = problemOf(() => parseConfig(config, 'file'));
    expect(problem?.startsWith(`file: ${path}`)).toBe(true);
    expect(problem).toContain(fact);
    expect(problem).not.toContain('\n');
  });

  it.each([
    'arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call',
    'arn:aws:sns:eu-west-2:123456789012:a_b',
  ])('takes the topic %s', (topicArn) => {
    expect(parseConfig({ ...minimal, alarms: { topicArn } }, 'file').alarms.topicArn).toBe(topicArn);
  });

  it('accepts a Region without meetings together with a meetingsRegion', () => {
    const regions = { region: 'eu-west-1', meetingsRegion: 'eu-central-1' };
    expect(parseConfig({ ...minimal, ...regions }, 'file')).toMatchObject(regions);
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
    expect(problemOf(() => loadConfig(file))?.startsWith(`${file}: `)).toBe(true);
  });

  it("names a file that can't be read", () => {
    const file = join(folder, 'folder.json');
    mkdirSync(file);
    expect(problemOf(() => loadConfig(file))).toMatch(/folder\.json: .*EISDIR/);
  });

  it('reports invalid JSON in one line', () => {
    const file = write('bad.json', '{\n  "stackName": "usher",\n}\n');
    const problem = problemOf(() => loadConfig(file));
    expect(problem).toMatch(/bad\.json: .*JSON/);
    expect(problem).not.toContain('\n');
  });

  it('names the file of a configuration that it rejects', () => {
    const file = write('invalid.json', '{"stackName":"usher","typo":1}');
    const problem = problemOf(() => loadConfig(file));
    expect(problem?.startsWith(`${file}: `)).toBe(true);
    expect(problem).toContain('"typo"');
  });

  it.each(readdirSync('config').filter((file) => file !== 'local.json'))('accepts config/%s', (file) => {
    expect(problemOf(() => loadConfig(`config/${file}`))).toBeUndefined();
  });

  it('accepts config/local.json once its issuer is running', () => {
    const text = readFileSync('config/local.json', 'utf8');
    const running = text.replace('"issuer": "local"', '"issuer": "http://127.0.0.1:4010"');
    expect(running).not.toBe(text);
    expect(problemOf(() => parseConfig(JSON.parse(running), 'config/local.json'))).toBeUndefined();
  });
});

describe('the configurations that are shipped', () => {
  const configOf = (env: string): object => JSON.parse(readFileSync(`config/${env}.json`, 'utf8'));

  /** The README's own words for what config/example-production.json has. */
  const [, everythingOn = ''] =
    /`config\/example-production\.json` has\s+everything on: ([^.]+)\./.exec(
      readFileSync('README.md', 'utf8'),
    ) ?? [];
  const EVERYTHING_ON = everythingOn.split(', ');

  /** What a user who copies one relies on. */
  function offered(env: string): string[] {
    const template = synthesize(configOf(env));
    const makes = (type: string) => resourcesOf(template, type).length > 0;
    const { Properties: stage } = theResource(template, 'AWS::ApiGateway::Stage');
    const { Properties: handler } = theResource(template, 'AWS::Lambda::Function', 'Attendees');
    const { Properties: alias } = theResource(template, 'AWS::Lambda::Alias', 'Attendees');
    const { Variables: variables } = handler['Environment'] as { Variables: Record<string, string> };
    const keys = resourcesOf(template, 'AWS::DynamoDB::Table').map(
      ({ Properties }) => (Properties['SSESpecification'] as { KMSMasterKeyId?: string }).KMSMasterKeyId,
    );
    const pool = makes('AWS::Cognito::UserPool');
    const issuers: object[] = pool ? [] : JSON.parse(variables['ISSUERS'] ?? '');
    const facts: Record<string, boolean> = {
      'domain name': makes('AWS::ApiGateway::DomainName'),
      firewall: makes('AWS::WAFv2::WebACL'),
      'access logs': 'AccessLogSetting' in stage,
      'a customer-managed key': keys.every((key) => key !== undefined),
      canary: makes('AWS::CodeDeploy::DeploymentGroup'),
      concurrency: 'ReservedConcurrentExecutions' in handler && 'ProvisionedConcurrencyConfig' in alias,
      "the account's log role": makes('AWS::ApiGateway::Account'),
      'alarms that tell': alarmsOf(template).every(({ Properties }) => 'AlarmActions' in Properties),
      pool,
      'tenants apart': issuers.length > 0 && issuers.every((rules) => 'tenantClaim' in rules),
      'loopback only': JSON.parse(variables['ALLOWED_ORIGINS'] ?? '').every((origin: string) =>
        /^http:\/\/(localhost|127\.0\.0\.1):\*$/.test(origin),
      ),
    };
    return [
      ...Object.keys(facts).filter((fact) => facts[fact]),
      variables['POWERTOOLS_LOG_LEVEL'] ?? '',
      `audit of ${variables['AUDIT_RETENTION_DAYS']} days`,
    ].toSorted();
  }

  it.each<[string, string[]]>([
    // One to try: without what costs money, and without pages of others.
    ['dev', ['pool', 'loopback only', 'DEBUG', 'audit of 90 days']],
    // In production, like all that do not say otherwise.
    ['example-oidc', ['firewall', 'tenants apart', 'INFO', 'audit of 400 days']],
    [
      'example-production',
      [...EVERYTHING_ON, 'alarms that tell', 'tenants apart', 'INFO', 'audit of 400 days'],
    ],
  ])('keep what they promise, config/%s.json', (env, expected) => {
    expect(offered(env)).toEqual(expected.toSorted());
  });
});
