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
  it('needs no more than a stack name, beside what a facade is set to', () => {
    expect(parseConfig(minimal, 'config/test.json')).toEqual({
      ...completeSettings({}, 'facade'),
      stackName: 'usher-test',
      tags: {},
    });
  });

  it.each([
    ['a minimal configuration', {}],
    ['one that asks for all there is', fullProduction],
  ])('leaves %s as it is, once it is complete', (_what, config) => {
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

  it.each<[string, unknown, string]>([
    ['no object', 5, 'file: is 5; give an object'],
    ['no stack name', {}, 'file: stackName: is missing; give a string'],
    [
      'a stack name CloudFormation refuses',
      { stackName: 'usher_dev' },
      'file: stackName: CloudFormation allows',
    ],
    ['an unknown key', { ...minimal, isuers: [] }, 'file: unknown key "isuers"; a misspelt rule'],
    [
      'an unknown key of the alarms',
      { ...minimal, alarms: { topic: 'on-call' } },
      'file: alarms: unknown key "topic"',
    ],
    [
      'what a facade refuses',
      { ...minimal, limits: { requestsPerSecond: 300 } },
      'file: limits.burst: is below requestsPerSecond',
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
      'an account that is none',
      { ...minimal, account: '1234' },
      'file: account: an AWS account is 12 digits',
    ],
    [
      'alarms for nobody',
      { ...minimal, alarms: { topicArn: 'on-call' } },
      'file: alarms.topicArn: is not the ARN of an SNS topic',
    ],
    [
      'a key by its alias',
      { ...minimal, encryptionKeyArn: 'arn:aws:kms:eu-central-1:123456789012:alias/usher' },
      'file: encryptionKeyArn: is not the ARN of a KMS key',
    ],
    [
      'a domain with a scheme',
      { ...minimal, domain: { ...domain, name: 'https://meetings.example.com' } },
      'file: domain.name: is not a domain name',
    ],
    [
      'a domain without a certificate',
      { ...minimal, domain: { name: domain.name } },
      'file: domain.certificateArn: is missing; give a string',
    ],
    [
      'a certificate that is none',
      { ...minimal, domain: { ...domain, certificateArn: fullProduction.encryptionKeyArn } },
      'file: domain.certificateArn: is not the ARN of a certificate',
    ],
    [
      'a hosted zone that is none',
      { ...minimal, domain: { ...domain, hostedZone: { id: 'example.com', name: 'example.com' } } },
      'file: domain.hostedZone.id: is not the id of a Route 53 hosted zone',
    ],
    ...['encryptionKeyArn', 'domain.certificateArn', 'alarms.topicArn'].map(
      (key): [string, unknown, string] => [
        `what is in another Region than the stack, ${key}`,
        { ...minimal, ...elsewhere(key) },
        `file: ${key}: is in eu-west-2, but the stack goes to eu-central-1, where it cannot be used`,
      ],
    ),
  ])('rejects %s', (_what, value, message) => {
    const problem = problemOf(() => parseConfig(value, 'file'));
    expect(problem?.slice(0, message.length)).toBe(message);
    expect(problem).not.toContain('\n');
  });

  it.each([
    'arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call',
    'arn:aws:sns:eu-west-2:123456789012:a_b',
  ])('takes the topic %s', (topicArn) => {
    expect(parseConfig({ ...minimal, alarms: { topicArn } }, 'file').alarms.topicArn).toBe(topicArn);
  });

  it('takes a Region without meetings beside one that has them', () => {
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
    expect(problemOf(() => loadConfig(file))).toBe(`${file}: there is no such file`);
  });

  it("names a file that can't be read", () => {
    const file = join(folder, 'folder.json');
    mkdirSync(file);
    expect(problemOf(() => loadConfig(file))).toMatch(/folder\.json: can't be read: EISDIR/);
  });

  it('says in one line where the JSON is wrong', () => {
    const file = write('bad.json', '{\n  "stackName": "usher",\n}\n');
    const problem = problemOf(() => loadConfig(file));
    expect(problem).toMatch(/bad\.json: is not JSON: /);
    expect(problem).not.toContain('\n');
  });

  it('names the file of a configuration that it rejects', () => {
    const file = write('invalid.json', '{"stackName":"usher","typo":1}');
    expect(problemOf(() => loadConfig(file))).toBe(
      `${file}: unknown key "typo"; a misspelt rule would be no rule`,
    );
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

  /** What somebody who copies one relies on. */
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
      "a key of one's own": keys.every((key) => key !== undefined),
      canary: makes('AWS::CodeDeploy::DeploymentGroup'),
      concurrency: 'ReservedConcurrentExecutions' in handler && 'ProvisionedConcurrencyConfig' in alias,
      'a role of the whole account': makes('AWS::ApiGateway::Account'),
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
  ])('have what they promise, config/%s.json', (env, expected) => {
    expect(offered(env)).toEqual(expected.toSorted());
  });
});
