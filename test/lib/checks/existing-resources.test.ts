import { describe, expect, it } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { DomainName, type IDomainName, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { UserPool } from 'aws-cdk-lib/aws-cognito';
import { AttributeType, CfnTable, type ITable, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Alias, type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { HostedZone, PublicHostedZone } from 'aws-cdk-lib/aws-route53';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { AttendeeFacadeProps } from '../../../lib/attendee-facade.ts';
import { AuditTables } from '../../../lib/audit-tables.ts';
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

  it.each(inAnotherRegion)('is rejected as %s, where the Region is', (prop, props) => {
    expect(problemWith((stack) => props(stack, 'us-east-1', ACCOUNT))).toMatch(
      new RegExp(`^Theirs/Facade: ${prop}: is in us-east-1, but the stack goes to ${REGION}, .*; hand in `),
    );
  });

  it.each(elsewhere)('is rejected as %s, where the account is', (prop, props) => {
    expect(problemWith((stack) => props(stack, REGION, '999999999999'))).toMatch(
      new RegExp(
        `^Theirs/Facade: ${prop}: is of the account 999999999999, but the stack goes to ${ACCOUNT}, .*; hand in `,
      ),
    );
  });

  it.each(inAnotherRegion)('is taken as %s, where it is here, or where that is not known', (prop, props) => {
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
      /, or name the pool among the issuers$/,
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
    ).toMatch(/^Theirs\/Facade: domain\.hostedZone: is of the account 999999999999, .*; leave it out, /);
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
    expect(problemWithZone(zoneName)).toBe(
      `Theirs/Facade: domain.hostedZone: is ${zoneName}, which meetings.example.com is not in, so the record would never be found; hand in the zone of the name, or none`,
    );
  });
});

describe('a domain name that there is', () => {
  it('is rejected where it takes TLS 1.0, which the one that is made does not', () => {
    expect(problemWith((stack) => ({ domain: madeDomain(stack, SecurityPolicy.TLS_1_0) }))).toMatch(
      /^Theirs\/Facade: domain: takes TLS 1\.0, so .*; make it with TLS 1\.2 or newer$/,
    );
    expect(problemWith((stack) => ({ domain: madeDomain(stack, SecurityPolicy.TLS_1_2) }))).toBeUndefined();
  });
});

describe('a topic that alarms cannot publish to', () => {
  it('is rejected where it is FIFO', () => {
    const made = (stack: Stack) => ({ alarmTopic: new Topic(stack, 'OnCall', { fifo: true }) });
    expect(problemWith(made)).toMatch(
      /^Theirs\/Facade: alarmTopic: is a FIFO topic, .*; hand in a standard topic$/,
    );
    const arn = `arn:aws:sns:${REGION}:${ACCOUNT}:on-call.fifo`;
    const imported = (stack: Stack) => ({ alarmTopic: Topic.fromTopicArn(stack, 'OnCall', arn) });
    expect(problemWith(imported)).toMatch(/^Theirs\/Facade: alarmTopic: is a FIFO topic, /);
  });

  it("is rejected where AWS's own key encrypts it, but not where somebody's alias does", () => {
    const encrypted = (alias: string) => (stack: Stack) => ({
      alarmTopic: new Topic(stack, 'OnCall', { masterKey: Alias.fromAliasName(stack, 'Key', alias) }),
    });
    expect(problemWith(encrypted('alias/aws/sns'))).toMatch(
      /^Theirs\/Facade: alarmTopic: is encrypted by aws\/sns, .*; encrypt it by a key of your own$/,
    );
    expect(problemWith(encrypted('alias/ours'))).toBeUndefined();
  });
});

describe('tables that are not the ones needed', () => {
  it('are rejected where one is given for two', () => {
    const twice = (one: ITable, other: ITable) => ({ tables: { admissions: one, openIntents: other } });
    const sentence =
      /^Theirs\/Facade: tables\.openIntents: is the table that is given as admissions too, so .*; hand in a table for each$/;
    expect(
      problemWith((stack) => {
        const one = Table.fromTableName(stack, 'One', 'theirs');
        return twice(one, Table.fromTableName(stack, 'Two', 'theirs'));
      }),
    ).toMatch(sentence);
    expect(
      problemWith((stack) => {
        const { admissions } = new AuditTables(stack, 'Theirs');
        return twice(admissions, admissions);
      }),
    ).toMatch(sentence);
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
    expect(problemWith((stack) => ({ tables: { audit: audit(stack) } }))).toBe(
      `Theirs/Facade: tables.audit: has the key ${key}, so nothing could be written or found there; hand in a table with the key meetingId S, recordId S, such as one of AuditTables`,
    );
  });

  it('are taken where the keys are right, whatever made them', () => {
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
        tables: { audit: table(stack, 'meetingId', 'recordId'), openIntents: raw(stack) },
      })),
    ).toBeUndefined();
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
  const sentence =
    /: is an alias of a key that is not known here, and no policy can name an alias, so .*; hand in the key itself$/;

  it.each(unknown)('is rejected as %s, since no policy could name it', (_what, encryptionKey) => {
    const problem = problemWith((stack) => ({ encryptionKey: encryptionKey(stack) }));
    expect(problem).toMatch(/^Theirs\/Facade: encryptionKey: /);
    expect(problem).toMatch(sentence);
    const stack = createForeignStack({ env });
    expect(
      problemOf(() => new AuditTables(stack, 'Tables', { encryptionKey: encryptionKey(stack) })),
    ).toMatch(sentence);
    expect(
      problemWith((stack) => {
        const attributes = { tableName: 'theirs', encryptionKey: encryptionKey(stack) };
        return { tables: { audit: Table.fromTableAttributes(stack, 'Table', attributes) } };
      }),
    ).toMatch(/^Theirs\/Facade: tables\.audit\.encryptionKey: is an alias /);
  });

  it("may be the account's own for DynamoDB, which needs no permission, of tables handed in", () => {
    const stack = createForeignStack();
    const encryptionKey = Alias.fromAliasName(stack, 'Alias', 'alias/aws/dynamodb');
    const audit = Table.fromTableAttributes(stack, 'Table', { tableName: 'theirs', encryptionKey });
    addFacade(stack, { tables: { audit } });
    expect(JSON.stringify(Template.fromStack(stack).findResources('AWS::IAM::Policy'))).not.toContain('kms:');
  });

  it.each<[string, (stack: Stack) => AttendeeFacadeProps]>([
    ['for tables that are made', (stack) => ({ encryptionKey: aliasOf(stack) })],
    [
      'of tables handed in',
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
    expect(problemWith((stack) => ({ ...props(stack), ...allTables(stack) }))).toBe(
      `Theirs/Facade: ${prop}: is for tables that are made, but all three are handed in, so it would be ignored; remove it, and give it to the tables where they are made`,
    );
    expect(
      problemWith((stack) => {
        const { audit, admissions } = allTables(stack).tables;
        return { ...props(stack), tables: { audit, admissions } };
      }),
    ).toBeUndefined();
    expect(problemWith(allTables)).toBeUndefined();
  });

  it('is rejected: a user pool beside issuers', () => {
    expect(problemWith((stack) => ({ userPool: new UserPool(stack, 'Pool'), issuers: [issuer] }))).toMatch(
      /^Theirs\/Facade: userPool: is given beside issuers, /,
    );
  });
});

describe('AuditTables by itself', () => {
  it.each([0, -1, 1.5, Number.NaN])(
    'is rejected with a guard of %d units, which CDK would leave out',
    (units) => {
      for (const prop of ['writeUnitsPerSecond', 'readUnitsPerSecond']) {
        expect(
          problemOf(() => new AuditTables(new Stack(createApp(), 'Own'), 'Tables', { [prop]: units })),
        ).toBe(
          `Own/Tables: ${prop}: is ${units}, which is no guard, so a mistake could cost without end; give a whole number of 1 at least`,
        );
      }
    },
  );
});
