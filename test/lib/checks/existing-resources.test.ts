import { describe, expect, it } from '@jest/globals';
import { Fn, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { DomainName, type IDomainName, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { UserPool } from 'aws-cdk-lib/aws-cognito';
import {
  AttributeType,
  CfnTable,
  type GlobalSecondaryIndexProps,
  type ITable,
  ProjectionType,
  Table,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { Alias, type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { HostedZone, PublicHostedZone } from 'aws-cdk-lib/aws-route53';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { TABLES } from '../../../lambda/audit/schema.ts';
import { AuditTables } from '../../../lib/audit-tables.ts';
import type { AttendeeFacadeProps } from '../../../lib/facade-props.ts';
import { problemOf } from '../../support/configuration-error.ts';
import {
  addFacade,
  createApp,
  createForeignStack,
  flat,
  issuer,
  resourcesOf,
  theResource,
} from '../../support/synthesize.ts';

const REGION = 'eu-central-1';
const ACCOUNT = '123456789012';
const env = { region: REGION, account: ACCOUNT };
const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

/** What is said to a facade that is handed something, in a stack of a known place or of any. */
function problemWith(props: (stack: Stack) => AttendeeFacadeProps, place: object = env): string | undefined {
  const stack = createForeignStack({ env: place });
  return problemOf(() => addFacade(stack, props(stack)));
}

const table = (stack: Stack, partitionKey: string, sortKey: string, type = AttributeType.STRING): ITable =>
  new Table(stack, `${partitionKey}-${sortKey}`, {
    partitionKey: { name: partitionKey, type: AttributeType.STRING },
    sortKey: { name: sortKey, type },
  }) as ITable;
const tableAt = (stack: Stack, region: string, account: string) =>
  Table.fromTableArn(stack, 'Table', `arn:aws:dynamodb:${region}:${account}:table/theirs`);
const domainOf = (stack: Stack, region: string, account: string) => ({
  name: 'meetings.example.com',
  certificate: Certificate.fromCertificateArn(
    stack,
    'Certificate',
    `arn:aws:acm:${region}:${account}:certificate/5678efab-56ef-78ab-90cd-567890abcdef`,
  ),
});
const zone = (stack: Stack, zoneName: string) =>
  HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName });
const madeDomain = (stack: Stack, securityPolicy?: SecurityPolicy) =>
  new DomainName(stack, 'Name', {
    domainName: 'meetings.example.com',
    certificate: domainOf(stack, REGION, ACCOUNT).certificate,
    ...(securityPolicy === undefined ? {} : { securityPolicy }),
  }) as IDomainName;

describe('what is in another Region or account', () => {
  const elsewhere: [string, (stack: Stack, region: string, account: string) => AttendeeFacadeProps][] = [
    ['tables.audit', (stack, ...at) => ({ tables: { audit: tableAt(stack, ...at) } })],
    ['tables.openIntents', (stack, ...at) => ({ tables: { openIntents: tableAt(stack, ...at) } })],
    ['domain.certificate', (stack, ...at) => ({ domain: domainOf(stack, ...at) })],
    [
      'userPool',
      (stack, region, account) => ({
        userPool: UserPool.fromUserPoolArn(
          stack,
          'Pool',
          `arn:aws:cognito-idp:${region}:${account}:userpool/${region}_abc123`,
        ),
      }),
    ],
    [
      'domain',
      (stack, region, account) => ({
        domain: madeDomain(new Stack(stack.node.root, 'Other', { env: { region, account } })),
      }),
    ],
  ];
  const inAnotherRegion: typeof elsewhere = [
    ...elsewhere,
    [
      'encryptionKey',
      (stack, region, account) => ({
        encryptionKey: Key.fromKeyArn(stack, 'Key', `arn:aws:kms:${region}:${account}:key/1234abcd`),
      }),
    ],
    [
      'alarmTopic',
      (stack, region, account) => ({
        alarmTopic: Topic.fromTopicArn(stack, 'Topic', `arn:aws:sns:${region}:${account}:on-call`),
      }),
    ],
  ];

  it.each(inAnotherRegion)('is rejected as %s in another Region', (prop, props) => {
    expect(problemWith((stack) => props(stack, 'us-east-1', ACCOUNT))).toMatch(
      new RegExp(`^Theirs/Facade: ${prop}: .*\\bus-east-1\\b.*\\b${REGION}\\b`),
    );
  });

  it.each(elsewhere)('is rejected as %s in another account', (prop, props) => {
    expect(problemWith((stack) => props(stack, REGION, '999999999999'))).toMatch(
      new RegExp(`^Theirs/Facade: ${prop}: .*\\b999999999999\\b.*\\b${ACCOUNT}\\b`),
    );
  });

  it.each(inAnotherRegion)('is accepted as %s in this place, or if its place is not known', (prop, props) => {
    expect(problemWith((stack) => props(stack, REGION, ACCOUNT))).toBeUndefined();
    if (prop !== 'domain') {
      expect(problemWith((stack) => props(stack, 'us-east-1', '999999999999'), {})).toBeUndefined();
    }
  });

  it('may be a user pool all the same, as an issuer', () => {
    const userPool = (stack: Stack) =>
      UserPool.fromUserPoolArn(
        stack,
        'Pool',
        `arn:aws:cognito-idp:us-east-1:${ACCOUNT}:userpool/us-east-1_abc123`,
      );
    expect(problemWith((stack) => ({ userPool: userPool(stack) }))).toMatch(
      /^Theirs\/Facade: userPool: .*\bissuers\b/,
    );
  });

  it('is rejected as a hosted zone of another account', () => {
    const hostedZone = (stack: Stack) =>
      new PublicHostedZone(
        new Stack(stack.node.root, 'Zones', { env: { region: 'us-east-1', account: '999999999999' } }),
        'Zone',
        { zoneName: 'example.com' },
      );
    expect(
      problemWith((stack) => ({
        domain: { ...domainOf(stack, REGION, ACCOUNT), hostedZone: hostedZone(stack) },
      })),
    ).toMatch(/^Theirs\/Facade: domain\.hostedZone: .*\b999999999999\b/);
  });
});

describe('the hosted zone of a domain name', () => {
  const problemWithZone = (zoneName: string) =>
    problemWith((stack) => ({
      domain: { ...domainOf(stack, REGION, ACCOUNT), hostedZone: zone(stack, zoneName) },
    }));

  it.each(['example.com', 'example.com.', 'Example.com', 'meetings.example.com'])('may be %s', (zoneName) => {
    expect(problemWithZone(zoneName)).toBeUndefined();
  });

  it('may be known by its id alone', () => {
    const zoneById = (stack: Stack) => HostedZone.fromHostedZoneId(stack, 'ById', 'Z0123456789ABC');
    expect(
      problemWith((stack) => ({
        domain: { ...domainOf(stack, REGION, ACCOUNT), hostedZone: zoneById(stack) },
      })),
    ).toBeUndefined();
  });

  it.each(['example.org', 'ample.com', 'a.meetings.example.com'])('cannot be %s', (zoneName) => {
    const problem = problemWithZone(zoneName);
    expect(problem).toMatch(/^Theirs\/Facade: domain\.hostedZone: /);
    expect(problem).toContain(zoneName);
  });
});

describe('an existing domain name', () => {
  it('is rejected if it accepts TLS 1.0, unlike a created one', () => {
    expect(problemWith((stack) => ({ domain: madeDomain(stack, SecurityPolicy.TLS_1_0) }))).toMatch(
      /^Theirs\/Facade: domain: .*TLS 1\.0/,
    );
    expect(problemWith((stack) => ({ domain: madeDomain(stack, SecurityPolicy.TLS_1_2) }))).toBeUndefined();
  });
});

describe('a topic that alarms cannot publish to', () => {
  it('is rejected if it is FIFO', () => {
    const made = (stack: Stack) => ({ alarmTopic: new Topic(stack, 'OnCall', { fifo: true }) });
    expect(problemWith(made)).toMatch(/^Theirs\/Facade: alarmTopic: .*FIFO/);
    const arn = `arn:aws:sns:${REGION}:${ACCOUNT}:on-call.fifo`;
    const imported = (stack: Stack) => ({ alarmTopic: Topic.fromTopicArn(stack, 'OnCall', arn) });
    expect(problemWith(imported)).toMatch(/^Theirs\/Facade: alarmTopic: .*FIFO/);
  });

  it("is rejected if AWS's own key encrypts it, but not with a customer's alias", () => {
    const encrypted = (alias: string) => (stack: Stack) => ({
      alarmTopic: new Topic(stack, 'OnCall', { masterKey: Alias.fromAliasName(stack, 'Key', alias) }),
    });
    expect(problemWith(encrypted('alias/aws/sns'))).toMatch(/^Theirs\/Facade: alarmTopic: .*aws\/sns/);
    expect(problemWith(encrypted('alias/ours'))).toBeUndefined();
  });
});

describe('tables that are not the ones needed', () => {
  it('are rejected if one is given for two', () => {
    const twice = (one: ITable, other: ITable) => ({ tables: { admissions: one, openIntents: other } });
    const both = /^Theirs\/Facade: tables\.openIntents: .*\badmissions\b/;
    expect(
      problemWith((stack) => {
        const one = Table.fromTableName(stack, 'One', 'theirs');
        return twice(one, Table.fromTableName(stack, 'Two', 'theirs'));
      }),
    ).toMatch(both);
    expect(
      problemWith((stack) => {
        const { admissions } = new AuditTables(stack, 'Theirs');
        return twice(admissions, admissions);
      }),
    ).toMatch(both);
  });

  it.each<[string, (stack: Stack) => ITable, string]>([
    ['names', (stack) => table(stack, 'meetingId', 'batchId'), 'meetingId S, batchId S'],
    [
      'types',
      (stack) => table(stack, 'meetingId', 'recordId', AttributeType.NUMBER),
      'meetingId S, recordId N',
    ],
    [
      'a global table',
      (stack) =>
        new TableV2(stack, 'Global', { partitionKey: { name: 'id', type: AttributeType.STRING } }) as ITable,
      'id S',
    ],
    ['another of the three', (stack) => new AuditTables(stack, 'Theirs').openIntents, 'list S, batchId S'],
  ])('are rejected by their keys: %s', (_what, audit, key) => {
    const problem = problemWith((stack) => ({ tables: { audit: audit(stack) } }));
    expect(problem).toMatch(/^Theirs\/Facade: tables\.audit: .*\bmeetingId S, recordId S\b/);
    expect(problem).toContain(` ${key}, `);
  });

  it('are accepted with the right keys, whatever created them', () => {
    const raw = (stack: Stack) => {
      const keys = { HASH: 'list', RANGE: 'batchId' };
      const made = new CfnTable(stack, 'Raw', {
        keySchema: Object.entries(keys).map(([keyType, attributeName]) => ({ keyType, attributeName })),
        attributeDefinitions: Object.values(keys).map((attributeName) => ({
          attributeName,
          attributeType: 'S',
        })),
        billingMode: 'PAY_PER_REQUEST',
      });
      return Table.fromTableName(stack, 'Imported', made.ref);
    };
    expect(
      problemWith((stack) => ({
        tables: { audit: asAudit(stack, { indexes: AUDIT_INDEXES }), openIntents: raw(stack) },
      })),
    ).toBeUndefined();
  });
});

type Index = Pick<GlobalSecondaryIndexProps, 'indexName' | 'partitionKey' | 'sortKey' | 'projectionType'>;

const AUDIT_INDEXES = Object.values(TABLES.audit.indexes).map(
  ({ name, partitionKey, sortKey, projection }): Index => ({
    indexName: name,
    partitionKey: { name: partitionKey, type: AttributeType.STRING },
    sortKey: { name: sortKey, type: AttributeType.STRING },
    projectionType: ProjectionType[projection],
  }),
);

interface AuditOptions {
  indexes?: readonly Index[];
  timeToLiveAttribute?: string;
}

/** A table of the app with the audit's key, in each of the forms in which one may be given. */
function asAudit(stack: Stack, { indexes = [], timeToLiveAttribute }: AuditOptions, form = 'Table'): ITable {
  const props = {
    partitionKey: { name: 'meetingId', type: AttributeType.STRING },
    sortKey: { name: 'recordId', type: AttributeType.STRING },
    ...(timeToLiveAttribute === undefined ? {} : { timeToLiveAttribute }),
  };
  if (form === 'TableV2') {
    return new TableV2(stack, form, {
      ...props,
      globalSecondaryIndexes: [...indexes],
    }) as ITable;
  }
  const table = new Table(stack, 'Table', props);
  for (const index of indexes) table.addGlobalSecondaryIndex(index);
  if (form === 'Table') return table as ITable;
  return Table.fromTableName(stack, 'Imported', table.tableName);
}

describe.each(['Table', 'TableV2', 'a table of the app by its name'])('an audit table, as %s', (form) => {
  const problem = (options: AuditOptions, settings: AttendeeFacadeProps = {}) =>
    problemWith((stack) => ({ ...settings, tables: { audit: asAudit(stack, options, form) } }));

  it('is rejected without the indexes that the audit is asked by', () => {
    expect(problem({})?.match(/(?<=no index )[a-z-]+/g)).toEqual(
      AUDIT_INDEXES.map(({ indexName }) => indexName),
    );
    expect(problem({ indexes: AUDIT_INDEXES.slice(1) })).toMatch(
      /^Theirs\/Facade: tables\.audit: .*by-caller.*callerId S, batchId S.*KEYS_ONLY/,
    );
  });

  it('is rejected with an index of another key or too small a projection', () => {
    const [byCaller, byDay, denials] = AUDIT_INDEXES as [Index, Index, Index];
    const numbered = { ...byCaller, sortKey: { name: 'at', type: AttributeType.NUMBER } };
    expect(problem({ indexes: [numbered, byDay, denials] })).toMatch(
      /tables\.audit: .*by-caller.*callerId S, at N\b/,
    );
    const small = { ...denials, projectionType: ProjectionType.KEYS_ONLY };
    expect(problem({ indexes: [byCaller, byDay, small] })).toMatch(
      /tables\.audit: .*denials-by-day.*KEYS_ONLY/,
    );
    const large = { ...byCaller, projectionType: ProjectionType.ALL };
    expect(problem({ indexes: [large, byDay, denials] })).toBeUndefined();
  });

  it('is rejected without a time to live if records expire', () => {
    const audit = { retentionDays: 365 };
    expect(problem({ indexes: AUDIT_INDEXES }, { audit })).toMatch(
      /tables\.audit: .*expiresAt.*audit\.retentionDays/,
    );
    expect(problem({ indexes: AUDIT_INDEXES, timeToLiveAttribute: 'until' }, { audit })).toMatch(
      /tables\.audit: .*expiresAt/,
    );
    expect(problem({ indexes: AUDIT_INDEXES, timeToLiveAttribute: 'expiresAt' }, { audit })).toBeUndefined();
    expect(problem({ indexes: AUDIT_INDEXES })).toBeUndefined();
  });
});

describe('a user pool by its id', () => {
  const pool = (id: string, place?: object) =>
    problemWith((stack) => ({ userPool: UserPool.fromUserPoolId(stack, 'Pool', id) }), place);

  it('is rejected if its id begins with another Region', () => {
    expect(pool('us-east-1_abc123')).toMatch(/^Theirs\/Facade: userPool: .*us-east-1/);
    expect(pool(`${REGION}_abc123`)).toBeUndefined();
    expect(pool('us-east-1_abc123', {})).toBeUndefined();
  });
});

describe('the name of a domain', () => {
  const named = (name: string): [string, (stack: Stack) => AttendeeFacadeProps][] => [
    ['domain.name', (stack) => ({ domain: { ...domainOf(stack, REGION, ACCOUNT), name } })],
    [
      'domain',
      (stack) => ({
        domain: DomainName.fromDomainNameAttributes(stack, 'Existing', {
          domainName: name,
          domainNameAliasTarget: 'd-123.execute-api.eu-central-1.amazonaws.com',
          domainNameAliasHostedZoneId: 'Z0123456789EXAMPLE',
        }) as IDomainName,
      }),
    ],
  ];

  it.each([
    ['https://meetings.example.com', 'write meetings.example.com'],
    ['HTTPS://Meetings.example.com/v1?x', 'write meetings.example.com'],
    ['meetings.example.com:443', 'write meetings.example.com'],
    ['meetings.example.com/', 'write meetings.example.com'],
    ['meetings.example.com.', 'write meetings.example.com'],
    ['Meetings.Example.com', 'write meetings.example.com'],
    [' meetings.example.com', 'write meetings.example.com'],
    ['meet ings.example.com', 'use a name such as meetings.example.com'],
    ['*.example.com', 'use a name such as meetings.example.com'],
    ['meetings', 'use a name such as meetings.example.com'],
    ['-meetings.example.com', 'use a name such as meetings.example.com'],
    ['192.0.2.1', 'use a name such as meetings.example.com'],
    ['', 'use a name such as meetings.example.com'],
  ])('cannot be "%s", to be created or existing', (name, remedy) => {
    for (const [prop, props] of named(name)) {
      const problem = problemWith(props);
      expect(problem).toContain(`Theirs/Facade: ${prop}: "${name}" is not a domain name`);
      expect(problem).toMatch(new RegExp(`; ${remedy}$`));
    }
  });

  it.each(['meetings.example.com', 'a.b.c.example.co.uk', 'xn--rume-0ra.example.xn--p1ai', '1.example.com'])(
    'may be "%s"',
    (name) => {
      for (const [, props] of named(name)) expect(problemWith(props)).toBeUndefined();
    },
  );

  it('may be one that only the deployment knows', () => {
    for (const [, props] of named(Fn.importValue('name'))) expect(problemWith(props)).toBeUndefined();
  });
});

describe('a key', () => {
  const aliasOf = (stack: Stack) =>
    new Alias(stack, 'Alias', { aliasName: 'theirs', targetKey: new Key(stack, 'Key') });
  const unknown: [string, (stack: Stack) => IKey][] = [
    ['an alias by name', (stack) => Alias.fromAliasName(stack, 'Alias', 'alias/theirs')],
    [
      'the ARN of an alias',
      (stack) => Key.fromKeyArn(stack, 'Key', `arn:aws:kms:${REGION}:${ACCOUNT}:alias/theirs`),
    ],
  ];
  const named = /\bencryptionKey: .*\balias\b/;

  it.each(unknown)('is rejected as %s, since no policy could name it', (_what, encryptionKey) => {
    const problem = problemWith((stack) => ({ encryptionKey: encryptionKey(stack) }));
    expect(problem).toMatch(/^Theirs\/Facade: encryptionKey: /);
    expect(problem).toMatch(named);
    const stack = createForeignStack({ env });
    expect(
      problemOf(() => new AuditTables(stack, 'Tables', { encryptionKey: encryptionKey(stack) })),
    ).toMatch(named);
    expect(
      problemWith((stack) => {
        const attributes = { tableName: 'theirs', encryptionKey: encryptionKey(stack) };
        return { tables: { audit: Table.fromTableAttributes(stack, 'Table', attributes) } };
      }),
    ).toMatch(/^Theirs\/Facade: tables\.audit\.encryptionKey: .*\balias\b/);
  });

  it("may be the account's own for DynamoDB, which needs no permission, of existing tables", () => {
    const stack = createForeignStack();
    const encryptionKey = Alias.fromAliasName(stack, 'Alias', 'alias/aws/dynamodb');
    const audit = Table.fromTableAttributes(stack, 'Table', { tableName: 'theirs', encryptionKey });
    addFacade(stack, { tables: { audit } });
    expect(JSON.stringify(Template.fromStack(stack).findResources('AWS::IAM::Policy'))).not.toContain('kms:');
  });

  it.each<[string, (stack: Stack) => AttendeeFacadeProps]>([
    ['for tables that are made', (stack) => ({ encryptionKey: aliasOf(stack) })],
    [
      'of existing tables',
      (stack) => {
        const attributes = { tableName: 'theirs', encryptionKey: aliasOf(stack) };
        return { tables: { audit: Table.fromTableAttributes(stack, 'Table', attributes) } };
      },
    ],
  ])('is named itself, where an alias stands for it, %s', (_what, props) => {
    const stack = createForeignStack();
    addFacade(stack, props(stack));
    const template = Template.fromStack(stack);
    const key = theResource(template, 'AWS::KMS::Key').id;
    for (const { Properties } of resourcesOf(template, 'AWS::IAM::Policy').filter(({ id }) =>
      /TableKeys/.test(id),
    )) {
      const [statement] = (Properties['PolicyDocument'] as { Statement: { Resource: unknown }[] }).Statement;
      expect(flat(statement?.Resource)).toBe(`<${key}.Arn>`);
    }
    for (const { Properties } of resourcesOf(template, 'AWS::DynamoDB::Table')) {
      const { KMSMasterKeyId: used } = Properties['SSESpecification'] as { KMSMasterKeyId?: unknown };
      if (used !== undefined) expect(flat(used)).toBe(`<${key}.Arn>`);
    }
  });
});

describe('what would be ignored', () => {
  const allTables = (stack: Stack) => ({ tables: new AuditTables(stack, 'Theirs') });

  it.each<[string, (stack: Stack) => AttendeeFacadeProps]>([
    ['encryptionKey', (stack) => ({ encryptionKey: Key.fromKeyArn(stack, 'Key', KEY_ARN) })],
    ['limits.tableWriteUnitsPerSecond', () => ({ limits: { tableWriteUnitsPerSecond: 1000 } })],
    ['limits.tableReadUnitsPerSecond', () => ({ limits: { tableReadUnitsPerSecond: 1000 } })],
  ])('is rejected: %s beside all three tables', (prop, props) => {
    const problem = problemWith((stack) => ({ ...props(stack), ...allTables(stack) }));
    expect(problem?.startsWith(`Theirs/Facade: ${prop}: `)).toBe(true);
    expect(
      problemWith((stack) => {
        const { audit, admissions } = allTables(stack).tables;
        return { ...props(stack), tables: { audit, admissions } };
      }),
    ).toBeUndefined();
    expect(problemWith(allTables)).toBeUndefined();
  });

  it('is rejected: a user pool together with issuers', () => {
    expect(problemWith((stack) => ({ userPool: new UserPool(stack, 'Pool'), issuers: [issuer] }))).toMatch(
      /^Theirs\/Facade: userPool: .*\bissuers\b/,
    );
  });
});

describe('AuditTables by itself', () => {
  it.each([0, -1, 1.5, Number.NaN])('is rejected with a limit of %d units, which CDK would omit', (units) => {
    for (const prop of ['writeUnitsPerSecond', 'readUnitsPerSecond']) {
      const made = () => new AuditTables(new Stack(createApp(), 'Own'), 'Tables', { [prop]: units });
      const problem = problemOf(made);
      expect(problem?.startsWith(`Own/Tables: ${prop}: `)).toBe(true);
      expect(problem).toContain(String(units));
    }
  });
});
