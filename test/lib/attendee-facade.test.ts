import { describe, expect, it } from '@jest/globals';
import {
  Aws,
  type CfnElement,
  CfnParameter,
  Duration,
  Fn,
  NestedStack,
  RemovalPolicy,
  Stack,
  Stage,
} from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { UserPool } from 'aws-cdk-lib/aws-cognito';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AuditTables } from '../../lib/audit-tables.ts';
import type { AttendeeFacadeProps } from '../../lib/facade-props.ts';
import { CONTROL_REGIONS } from '../../lib/settings/regions.ts';
import { problemOf } from '../support/configuration-error.ts';
import {
  addFacade,
  createApp,
  createForeignStack,
  flat,
  issuer,
  resourcesOf,
  synthesize,
  theResource,
} from '../support/synthesize.ts';
import { alarmsOf, metricsOfAlarm } from '../support/watched-metrics.ts';

/** A facade in an app's own stack, with a role there that may read its audit, and what CloudFormation would be given. */
function facadeWith(props: (stack: Stack) => AttendeeFacadeProps = () => ({}), auditor?: string) {
  const stack = createForeignStack();
  const facade = addFacade(stack, props(stack));
  if (auditor !== undefined) {
    const role = new Role(stack, auditor, { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
    facade.grantReadAudit(role).assertSuccess();
  }
  return { stack, facade, template: Template.fromStack(stack) };
}

const variablesOf = (template: Template, idPrefix: string) =>
  (
    theResource(template, 'AWS::Lambda::Function', idPrefix).Properties['Environment'] as {
      Variables: Record<string, unknown>;
    }
  ).Variables;

interface Statement {
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

const statementsOf = (template: Template, idPrefix: string): Statement[] =>
  resourcesOf(template, 'AWS::IAM::Policy', idPrefix).flatMap(
    ({ Properties }) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement,
  );

describe("in an app's own stack", () => {
  it('needs no props, and adds only its own resources to the stack', () => {
    const { template } = facadeWith();
    expect(resourcesOf(template).filter(({ id }) => !id.startsWith('Facade'))).toEqual([]);
    expect(template.toJSON()['Outputs']).toBeUndefined();
    expect(template.toJSON()['Parameters']).toEqual(synthesize().toJSON()['Parameters']);
  });

  it('has the same resources as the stack of the command line', () => {
    const types = (template: Template) => resourcesOf(template).map(({ Type }) => Type);
    expect(types(facadeWith().template)).toEqual(types(synthesize()));
  });

  it('is named by its path, so that no two in an account share an API name or a namespace', () => {
    const { template } = facadeWith();
    expect(theResource(template, 'AWS::ApiGateway::RestApi').Properties['Name']).toBe('Theirs-Facade');
    expect(variablesOf(template, 'FacadeAttendees')['POWERTOOLS_METRICS_NAMESPACE']).toBe(
      'Usher/Theirs-Facade',
    );
  });

  it('can have another metrics namespace, which alarms and graphs use', () => {
    const { template, facade } = facadeWith(() => ({ metricsNamespace: 'Theirs' }));
    for (const name of ['FacadeAttendees', 'FacadeReconciler']) {
      expect(variablesOf(template, name)['POWERTOOLS_METRICS_NAMESPACE']).toBe('Theirs');
    }
    const namespaces = alarmsOf(template)
      .flatMap(metricsOfAlarm)
      .map(({ namespace }) => namespace);
    expect(namespaces.filter((namespace) => !namespace.startsWith('AWS/'))).toContain('Theirs');
    expect(JSON.stringify(template.toJSON())).not.toContain('Usher/');
    expect(facade.metricIssued().namespace).toBe('Theirs');
  });

  it('derives its Cognito domain from an id that is not a host name', () => {
    const stack = createForeignStack({ env: { account: '123456789012' } });
    addFacade(stack, {}, 'Front.door to_meetings');
    const { Properties } = theResource(Template.fromStack(stack), 'AWS::Cognito::UserPoolDomain');
    expect(Properties['Domain']).toBe('theirs-front-door-to-meetings-123456789012');
  });

  it('works within a Stage, named for it', () => {
    const stack = new Stack(new Stage(createApp(), 'Beta'), 'Meetings');
    addFacade(stack);
    const template = Template.fromStack(stack);
    expect(theResource(template, 'AWS::ApiGateway::RestApi').Properties['Name']).toBe('Beta-Meetings-Facade');
  });

  it('works within a nested stack, by names that are known before it is deployed', () => {
    const nested = new NestedStack(createForeignStack(), 'Nested');
    addFacade(nested);
    const template = Template.fromStack(nested);
    expect(theResource(template, 'AWS::ApiGateway::RestApi').Properties['Name']).toBe('Theirs-Nested-Facade');
    const domain = theResource(template, 'AWS::Cognito::UserPoolDomain').Properties['Domain'];
    expect(flat(domain)).toBe('theirs-nested-facade-<AWS::AccountId>');
  });
});

describe('twice in one stack', () => {
  const stack = createForeignStack();
  const facades = ['One', 'Two'].map((id) => addFacade(stack, {}, id));
  const template = Template.fromStack(stack);

  it('is two of each', () => {
    const [one, two] = ['One', 'Two'].map((id) => resourcesOf(template, undefined, id));
    expect(one?.length).toBeGreaterThan(20);
    expect(two?.map(({ Type }) => Type)).toEqual(one?.map(({ Type }) => Type));
    expect(resourcesOf(template)).toHaveLength((one?.length ?? 0) + (two?.length ?? 0));
  });

  it.each<[string, string, string]>([
    ['API', 'AWS::ApiGateway::RestApi', 'Name'],
    ['Cognito domain', 'AWS::Cognito::UserPoolDomain', 'Domain'],
    ['metric of the firewall', 'AWS::WAFv2::WebACL', 'VisibilityConfig'],
  ])('has no two with the same name of an %s', (_what, type, property) => {
    const names = resourcesOf(template, type).map(({ Properties }) => JSON.stringify(Properties[property]));
    expect(names).toHaveLength(2);
    expect(new Set(names).size).toBe(2);
  });

  it('has alarms and dashboards that look at their own', () => {
    const watched = (id: string) =>
      alarmsOf(template, id)
        .flatMap(metricsOfAlarm)
        .map(({ namespace, dimensions }) =>
          namespace === 'AWS/Lambda'
            ? dimensions['FunctionName']
            : (dimensions['ApiName'] ?? dimensions['QueueName'] ?? namespace),
        );
    expect(watched('One').filter((what) => watched('Two').includes(what))).toEqual([]);
    const dashboard = (id: string) => JSON.stringify(resourcesOf(template, 'AWS::CloudWatch::Dashboard', id));
    expect(dashboard('One')).toContain('Usher/Theirs-One');
    expect(dashboard('One')).not.toContain('Two');
  });

  it('restricts the permissions of one to its own resources', () => {
    for (const [own, other] of [
      ['One', 'Two'],
      ['Two', 'One'],
    ] as const) {
      const resources = statementsOf(template, own).flatMap(({ Resource }) => [Resource].flat().map(flat));
      expect(resources.filter((resource) => resource.includes(`<${own}Tables`)).length).toBeGreaterThan(3);
      expect(resources.filter((resource) => resource.includes(`<${other}`))).toEqual([]);
    }
  });

  it('has an address each', () => {
    const [one, two] = facades.map(({ url }) => flat(stack.resolve(url)));
    expect(one).toMatch(/^https:\/\/<One/);
    expect(two).toMatch(/^https:\/\/<Two/);
  });

  it('can share the tables of one audit', () => {
    const shared = createForeignStack();
    const { tables } = addFacade(shared, {}, 'One');
    addFacade(shared, { tables }, 'Two');
    const both = Template.fromStack(shared);
    both.resourceCountIs('AWS::DynamoDB::Table', 4);
    expect(variablesOf(both, 'TwoAttendees')['AUDIT_TABLE_NAME']).toEqual(
      variablesOf(both, 'OneAttendees')['AUDIT_TABLE_NAME'],
    );
  });
});

describe('with existing tables', () => {
  it("uses those of an AuditTables in another stack, and that stack's key", () => {
    const app = createApp();
    const data = new Stack(app, 'Data');
    const tables = new AuditTables(data, 'Tables', { encryptionKey: new Key(data, 'Key') });
    const stack = createForeignStack({}, app);
    addFacade(stack, { tables });
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::DynamoDB::Table', 0);
    expect(JSON.stringify(variablesOf(template, 'FacadeReconciler')['OPEN_INTENT_TABLE_NAME'])).toContain(
      'Data:ExportsOutputRefTablesOpenIntents',
    );
    for (const name of ['FacadeAttendees', 'FacadeReconciler']) {
      const keys = statementsOf(template, name).filter(({ Action }) =>
        [Action].flat().includes('kms:Decrypt'),
      );
      expect(keys).toHaveLength(1);
      expect(JSON.stringify(keys[0]?.Resource)).toContain('Data:ExportsOutputFnGetAttKey');
      expect(keys[0]?.Condition).toEqual({
        StringEquals: {
          'kms:ViaService': { 'Fn::Join': ['', ['dynamodb.', { Ref: 'AWS::Region' }, '.amazonaws.com']] },
        },
      });
    }
  });

  it('takes imported ones, and makes those that are missing', () => {
    const { template } = facadeWith((stack) => ({
      tables: {
        audit: Table.fromTableName(stack, 'Audit', 'their-audit'),
        admissions: Table.fromTableName(stack, 'Admissions', 'their-admissions'),
      },
    }));
    const [made, ...others] = resourcesOf(template, 'AWS::DynamoDB::Table').map(({ id }) => id);
    expect(others).toEqual([expect.stringMatching(/^FacadeTablesEvents/)]);
    expect(made).toMatch(/^FacadeTablesOpenIntents/);
    expect(variablesOf(template, 'FacadeAttendees')).toMatchObject({
      AUDIT_TABLE_NAME: 'their-audit',
      ADMISSION_TABLE_NAME: 'their-admissions',
    });
    const resources = statementsOf(template, 'FacadeReconciler').flatMap(({ Resource }) =>
      [Resource].flat().map(flat),
    );
    const arn = 'arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table';
    expect(resources).toEqual(
      expect.arrayContaining([
        `${arn}/their-audit`,
        `${arn}/their-audit/index/by-day`,
        `${arn}/their-admissions`,
      ]),
    );
  });

  it('encrypts the tables it creates with the given key', () => {
    const { template } = facadeWith((stack) => ({ encryptionKey: new Key(stack, 'Key') }));
    const key = theResource(template, 'AWS::KMS::Key').id;
    for (const { Properties } of resourcesOf(template, 'AWS::DynamoDB::Table')) {
      expect(Properties['SSESpecification']).toMatchObject({
        SSEType: 'KMS',
        KMSMasterKeyId: { 'Fn::GetAtt': [key, 'Arn'] },
      });
    }
    for (const name of ['FacadeAttendees', 'FacadeReconciler']) {
      const resources = statementsOf(template, name).flatMap(({ Resource }) => [Resource].flat().map(flat));
      expect(resources).toContain(`<${key}.Arn>`);
    }
  });
});

describe('with tables that have a key each', () => {
  const { template } = facadeWith((stack) => {
    const tablesWithKeyOf = (name: string) =>
      new AuditTables(stack, name, { encryptionKey: new Key(stack, `${name}Key`) });
    const { audit } = tablesWithKeyOf('Audit');
    const { admissions } = tablesWithKeyOf('Admissions');
    const { openIntents } = tablesWithKeyOf('OpenIntents');
    const { events } = tablesWithKeyOf('Events');
    return { tables: { audit, admissions, openIntents, events } };
  }, 'Auditor');

  it.each<[string, string[]]>([
    ['FacadeAttendees', ['AdmissionsKey', 'AuditKey']],
    ['FacadeReconciler', ['AdmissionsKey', 'AuditKey', 'OpenIntentsKey']],
    ['FacadeObserver', ['AdmissionsKey', 'AuditKey', 'EventsKey']],
    ['Auditor', ['AdmissionsKey', 'AuditKey', 'EventsKey', 'OpenIntentsKey']],
  ])('%s may use those of the tables that it calls, and no other', (role, expected) => {
    const keys = statementsOf(template, role)
      .filter(({ Action }) => [Action].flat().includes('kms:Decrypt'))
      .flatMap(({ Resource }) => [Resource].flat().map(flat));
    const idOf = (name: string) => `<${theResource(template, 'AWS::KMS::Key', name).id}.Arn>`;
    expect(keys.toSorted()).toEqual(expected.map(idOf));
  });
});

describe('with an existing user pool', () => {
  const arn = 'arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_abc123';
  const { template, facade } = facadeWith((stack) => ({
    userPool: UserPool.fromUserPoolArn(stack, 'Pool', arn),
    cognito: { resourceServer: 'https://meetings.example.com' },
  }));

  it('makes neither a pool nor a domain, but a resource server and a client in it', () => {
    template.resourceCountIs('AWS::Cognito::UserPool', 0);
    template.resourceCountIs('AWS::Cognito::UserPoolDomain', 0);
    expect(theResource(template, 'AWS::Cognito::UserPoolResourceServer').Properties).toMatchObject({
      UserPoolId: 'eu-west-1_abc123',
      Identifier: 'https://meetings.example.com',
    });
    expect(theResource(template, 'AWS::Cognito::UserPoolClient').Properties).toMatchObject({
      UserPoolId: 'eu-west-1_abc123',
      GenerateSecret: true,
      AllowedOAuthFlows: ['client_credentials'],
    });
    expect(facade.cognitoIssuer?.tokenEndpoint).toBeUndefined();
  });

  it('takes its tokens, of that client, for the scope of that resource server', () => {
    const client = theResource(template, 'AWS::Cognito::UserPoolClient').id;
    const [rules] = JSON.parse(flat(variablesOf(template, 'FacadeAttendees')['ISSUERS']));
    expect(rules).toMatchObject({
      issuer: 'https://cognito-idp.eu-west-1.<AWS::URLSuffix>/eu-west-1_abc123',
      clientIds: [`<${client}>`],
      scopes: { delegate: 'https://meetings.example.com/attendees.create' },
    });
  });

  it('is shared by two facades, and left alone in a separate stack', () => {
    const app = createApp();
    const users = new Stack(app, 'Users');
    const userPool = new UserPool(users, 'Pool');
    const stack = createForeignStack({}, app);
    addFacade(stack, { userPool, cognito: { resourceServer: 'one' } }, 'One');
    addFacade(stack, { userPool, cognito: { resourceServer: 'two' } }, 'Two');
    const servers = resourcesOf(Template.fromStack(stack), 'AWS::Cognito::UserPoolResourceServer');
    expect(servers.map(({ Properties }) => Properties['Identifier'])).toEqual(['one', 'two']);
    expect(resourcesOf(Template.fromStack(users)).map(({ Type }) => Type)).toEqual([
      'AWS::Cognito::UserPool',
    ]);
  });

  it('can be one of several issuers, by its deploy-time address', () => {
    const { template } = facadeWith((stack) => {
      const pool = new UserPool(stack, 'Pool');
      const client = pool.addClient('Web');
      return {
        issuers: [
          {
            issuer: pool.userPoolProviderUrl,
            clientIds: [client.userPoolClientId],
            accessTokenMark: { claim: 'token_use', values: ['access'] },
            scopes: { self: 'usher/attendees.create.self' },
            meetingsClaim: 'meetings',
          },
        ],
      };
    });
    const [rules] = JSON.parse(flat(variablesOf(template, 'FacadeAttendees')['ISSUERS']));
    expect(rules).toMatchObject({
      issuer: expect.stringMatching(/^<Pool\w+\.ProviderURL>$/),
      clientIds: [expect.stringMatching(/^<PoolWeb\w+>$/)],
    });
  });

  it('takes one of the same app too', () => {
    const own = facadeWith((stack) => ({ userPool: new UserPool(stack, 'Pool') }));
    const pool = theResource(own.template, 'AWS::Cognito::UserPool');
    expect(pool.id).toMatch(/^Pool/);
    own.template.resourceCountIs('AWS::Cognito::UserPoolDomain', 0);
    expect(flat(own.stack.resolve(own.facade.issuers[0]))).toBe(`https://<${pool.id}.ProviderName>`);
  });
});

describe('what is left out by saying so', () => {
  it('is left out, as everywhere in CDK', () => {
    const undefinedProps = { meetingsRegion: undefined, limits: { reservedConcurrency: undefined } };
    const { template } = facadeWith(() => undefinedProps as unknown as AttendeeFacadeProps);
    expect(template.toJSON()).toEqual(facadeWith().template.toJSON());
  });
});

describe('a construct with letters that metrics cannot have', () => {
  it('is named without them', () => {
    const stack = createForeignStack();
    addFacade(stack, {}, 'Räume 1');
    const variables = variablesOf(Template.fromStack(stack), 'Rume1Attendees');
    expect(variables['POWERTOOLS_METRICS_NAMESPACE']).toBe('Usher/Theirs-R-ume-1');
  });
});

describe('grants', () => {
  it('are rejected, not ignored, if they cannot be added', () => {
    const stack = createForeignStack({ env: { region: 'eu-central-1', account: '123456789012' } });
    const elsewhere = Role.fromRoleArn(stack, 'Elsewhere', 'arn:aws:iam::999999999999:role/auditor');
    const facade = addFacade(stack);
    expect(problemOf(() => facade.grantReadAudit(elsewhere))).toMatch(
      /^Theirs\/Facade: grantReadAudit: the grantee belongs to account 999999999999,/,
    );
  });

  it('let a principal read the audit by its keys and indexes, and no more', () => {
    const { stack, facade, template } = facadeWith(() => ({}), 'Auditor');
    const statements = statementsOf(template, 'Auditor');
    const idOf = (table: unknown) => stack.getLogicalId((table as Table).node.defaultChild as CfnElement);
    const audit = `<${idOf(facade.tables.audit)}.Arn>`;
    const admissions = `<${idOf(facade.tables.admissions)}.Arn>`;
    const events = `<${idOf(facade.tables.events)}.Arn>`;
    const seals = `<${idOf(facade.sealBucket)}.Arn>`;
    expect(
      statements.map((statement) => ({ ...statement, Resource: [statement.Resource].flat().map(flat) })),
    ).toEqual([
      {
        Effect: 'Allow',
        Action: ['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:BatchGetItem'],
        Resource: [
          audit,
          `${audit}/index/by-caller`,
          `${audit}/index/by-day`,
          `${audit}/index/denials-by-day`,
          admissions,
          `${admissions}/index/by-attendee`,
          `<${idOf(facade.tables.openIntents)}.Arn>`,
          events,
          `${events}/index/by-meeting`,
          `${events}/index/by-arrival`,
        ],
      },
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectRetention'],
        Resource: [`${seals}/Theirs-Facade/*`],
      },
      { Effect: 'Allow', Action: ['s3:ListBucket', 's3:ListBucketVersions'], Resource: [seals] },
    ]);
    const indexes = resourcesOf(template, 'AWS::DynamoDB::Table').flatMap(
      ({ Properties }) => (Properties['GlobalSecondaryIndexes'] ?? []) as { IndexName: string }[],
    );
    expect(indexes.map(({ IndexName }) => IndexName).toSorted()).toEqual([
      'by-arrival',
      'by-attendee',
      'by-caller',
      'by-day',
      'by-meeting',
      'denials-by-day',
    ]);
  });

  it('let it decrypt the audit, through DynamoDB, if the tables have their own key', () => {
    const { template } = facadeWith((stack) => ({ encryptionKey: new Key(stack, 'Key') }), 'Auditor');
    const statements = statementsOf(template, 'Auditor');
    expect(statements).toHaveLength(4);
    expect(statements.at(-1)).toEqual({
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:DescribeKey'],
      Resource: { 'Fn::GetAtt': [theResource(template, 'AWS::KMS::Key').id, 'Arn'] },
      Condition: {
        StringEquals: {
          'kms:ViaService': { 'Fn::Join': ['', ['dynamodb.', { Ref: 'AWS::Region' }, '.amazonaws.com']] },
        },
      },
    });
  });
});

describe('metrics', () => {
  const { facade } = facadeWith();
  const service = { service: 'usher' };

  it.each([
    ['metricBatches', facade.metricBatches(), 'BatchesAnswered', 'Sum'],
    ['metricIssued', facade.metricIssued(), 'AttendeesIssued', 'Sum'],
    ['metricOldestOpenIntent', facade.metricOldestOpenIntent(), 'OldestOpenIntentAge', 'Maximum'],
    ['metric', facade.metric('IntentsUnresolved'), 'IntentsUnresolved', 'Sum'],
  ])("%s is one of the functions' own", (_method, metric, metricName, statistic) => {
    expect(metric).toMatchObject({
      namespace: 'Usher/Theirs-Facade',
      metricName,
      statistic,
      dimensions: service,
    });
    expect(metric.period.toSeconds()).toBe(300);
  });

  it.each([
    ['metricServerErrors', facade.metricServerErrors(), '5XXError', 'Sum'],
    ['metricLatency', facade.metricLatency(), 'Latency', 'p99'],
  ])("%s is one of the API's", (_method, metric, metricName, statistic) => {
    expect(metric).toMatchObject({
      namespace: 'AWS/ApiGateway',
      metricName,
      statistic,
      dimensions: { ApiName: 'Theirs-Facade', Stage: 'v1' },
    });
  });

  it('can be of a reason, and of another period and statistic', () => {
    const metric = facade.metric('FailedRequests', {
      reason: 'json',
      period: Duration.minutes(1),
      statistic: 'Average',
    });
    expect(metric).toMatchObject({ dimensions: { ...service, reason: 'json' }, statistic: 'Average' });
    expect(metric.period.toSeconds()).toBe(60);
  });

  it.each<[string, (options: MetricOptions) => Metric]>([
    ['metric', (options) => facade.metric('IntentsUnresolved', options)],
    ['metricBatches', (options) => facade.metricBatches(options)],
    ['metricIssued', (options) => facade.metricIssued(options)],
    ['metricOldestOpenIntent', (options) => facade.metricOldestOpenIntent(options)],
    ['metricServerErrors', (options) => facade.metricServerErrors(options)],
    ['metricLatency', (options) => facade.metricLatency(options)],
  ])('%s prefers the given options over its own', (_method, metricOf) => {
    const metric = metricOf({ period: Duration.minutes(1), statistic: 'Average', label: 'theirs' });
    expect(metric).toMatchObject({ statistic: 'Average', label: 'theirs' });
    expect(metric.period.toSeconds()).toBe(60);
  });

  it('metricDenied passes its period on to its parts', () => {
    const denied = facade.metricDenied({ period: Duration.minutes(1) });
    const periods = [denied, ...Object.values(denied.usingMetrics)].map((metric) =>
      (metric as Metric).period.toSeconds(),
    );
    expect(new Set(periods)).toEqual(new Set([60]));
  });
});

describe('members', () => {
  it('are its own constructs', () => {
    const { facade, template } = facadeWith((stack) => ({ alarmTopic: new Topic(stack, 'OnCall') }));
    expect(facade.alarms.all()).toHaveLength(resourcesOf(template, 'AWS::CloudWatch::Alarm').length);
    expect(facade.firewall).toBeDefined();
    expect(facade.cognitoIssuer).toBeDefined();
    const bare = facadeWith(() => ({ production: false, issuers: [issuer] })).facade;
    expect(bare.firewall).toBeUndefined();
    expect(bare.cognitoIssuer).toBeUndefined();
    expect(bare.issuers).toEqual(['https://login.example.com']);
  });
});

describe('a Region that is only known at deployment', () => {
  const rulesOf = (template: Template) =>
    Object.entries(template.toJSON()['Rules'] ?? {}).filter(([id]) => id !== 'CheckBootstrapVersion');

  it.each<[string, (stack: Stack) => AttendeeFacadeProps, object, string]>([
    ["the stack's, unasked", () => ({}), {}, 'AWS::Region'],
    ["the stack's, asked for", () => ({ meetingsRegion: Aws.REGION }), {}, 'AWS::Region'],
    [
      'a parameter',
      (stack) => ({ meetingsRegion: new CfnParameter(stack, 'MeetingsRegion').valueAsString }),
      { region: 'eu-central-1' },
      'MeetingsRegion',
    ],
  ])('is held by CloudFormation to those with meetings: %s', (_what, props, env, name) => {
    const stack = createForeignStack({ env });
    addFacade(stack, props(stack));
    expect(rulesOf(Template.fromStack(stack))).toEqual([
      [
        expect.stringMatching(/^Facade/),
        {
          Assertions: [
            {
              Assert: { 'Fn::Contains': [[...CONTROL_REGIONS], { Ref: name }] },
              AssertDescription: expect.stringContaining('no Chime SDK meetings endpoint'),
            },
          ],
        },
      ],
    ]);
  });

  it('has no rule if it is known, or if no rule can read it', () => {
    expect(rulesOf(facadeWith(() => ({ meetingsRegion: 'us-east-1' })).template)).toEqual([]);
    expect(rulesOf(facadeWith(() => ({ meetingsRegion: Fn.importValue('region') })).template)).toEqual([]);
  });

  it.each<[string, AttendeeFacadeProps]>([
    ["the stack's, unasked", {}],
    ["the stack's, asked for", { meetingsRegion: Aws.REGION }],
  ])('is accepted unchanged: %s', (_what, props) => {
    const { template } = facadeWith(() => props);
    expect(variablesOf(template, 'FacadeAttendees')['MEETINGS_REGION']).toEqual({ Ref: 'AWS::Region' });
    expect(
      statementsOf(template, 'FacadeReconciler').flatMap(({ Resource }) => [Resource].flat().map(flat)),
    ).toContain('arn:<AWS::Partition>:chime:<AWS::Region>:<AWS::AccountId>:meeting/*');
  });
});

describe('problems', () => {
  const problemWith = (props: object, env: object = {}) => {
    const stack = createForeignStack({ env });
    return problemOf(() => addFacade(stack, props));
  };

  it.each<[string, object, object, string]>([
    [
      'a Region without meetings',
      {},
      { region: 'eu-west-1' },
      'Theirs/Facade: meetingsRegion: eu-west-1 has no Chime SDK meetings endpoint, ',
    ],
    [
      'a meetings Region without meetings',
      { meetingsRegion: 'eu-north-1' },
      {},
      'Theirs/Facade: meetingsRegion: eu-north-1 has no Chime SDK meetings endpoint, ',
    ],
    [
      'an issuer that is unsafe',
      { issuers: [{ ...issuer, audience: [] }] },
      {},
      'Theirs/Facade: issuers[0].audience: neither audience nor clientIds is given, ',
    ],
    [
      'an unknown key, as untyped code may give it',
      { limit: { timeoutSeconds: 5 } },
      {},
      'Theirs/Facade: unknown key "limit", ',
    ],
    [
      'meetings in another partition',
      { meetingsRegion: 'us-east-1' },
      { region: 'us-gov-west-1' },
      'Theirs/Facade: meetingsRegion: us-east-1 and us-gov-west-1 are in different partitions',
    ],
    [
      'meetings out of reach of China',
      { meetingsRegion: 'us-east-1' },
      { region: 'cn-north-1' },
      'Theirs/Facade: meetingsRegion: us-east-1 and cn-north-1 are in different partitions',
    ],
  ])('are one sentence, for %s', (_what, props, env, message) => {
    const sentence = problemWith(props, env);
    expect(sentence?.slice(0, message.length)).toBe(message);
    expect(sentence).not.toContain('\n');
  });

  it('are one sentence for a user pool of another Region', () => {
    const stack = createForeignStack({ env: { region: 'eu-central-1', account: '123456789012' } });
    const arn = 'arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc123';
    const userPool = UserPool.fromUserPoolArn(stack, 'Pool', arn);
    expect(problemOf(() => addFacade(stack, { userPool }))).toMatch(
      /^Theirs\/Facade: userPool: is in us-east-1, but the stack deploys to eu-central-1/,
    );
  });

  it('are one sentence for a user pool together with issuers', () => {
    const stack = createForeignStack();
    const userPool = new UserPool(stack, 'Pool');
    expect(problemOf(() => addFacade(stack, { userPool, issuers: [issuer] }))).toBe(
      'Theirs/Facade: userPool: is given together with issuers, so it would be ignored; remove one of them',
    );
  });
});

describe('several problems', () => {
  it('are reported together, a line each that names the construct and the prop', () => {
    const stack = createForeignStack({ env: { region: 'eu-west-1', account: '123456789012' } });
    const props: AttendeeFacadeProps = {
      stageName: 'v-1',
      limits: { memoryMb: 1 },
      userPool: UserPool.fromUserPoolId(stack, 'Pool', 'us-east-1_abc123'),
      metricsNamespace: 'AWS/Usher',
      removalPolicy: RemovalPolicy.SNAPSHOT,
    };
    const lines = problemOf(() => addFacade(stack, props))?.split('\n') ?? [];
    expect(lines.map((line) => line.split(': ', 2).join(': '))).toEqual([
      'Theirs/Facade: stageName',
      'Theirs/Facade: limits.memoryMb',
      'Theirs/Facade: meetingsRegion',
      'Theirs/Facade: userPool',
      'Theirs/Facade: metricsNamespace',
      'Theirs/Facade: removalPolicy',
    ]);
  });

  it('are reported together for separate tables too', () => {
    const stack = createForeignStack();
    const encryptionKey = Alias.fromAliasName(stack, 'Alias', 'alias/theirs');
    const props = { encryptionKey, writeUnitsPerSecond: 1, readUnitsPerSecond: 0 };
    const lines = problemOf(() => new AuditTables(stack, 'Tables', props))?.split('\n');
    expect(lines).toHaveLength(3);
  });
});
