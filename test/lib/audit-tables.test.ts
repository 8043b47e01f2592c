import { describe, expect, it } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Key } from 'aws-cdk-lib/aws-kms';
import { AuditTables, type AuditTablesProps } from '../../lib/audit-tables.ts';
import { createApp, flat, fullProduction, resourcesOf, synthesize } from '../support/synthesize.ts';

const tables = synthesize().findResources('AWS::DynamoDB::Table');

const key = (partition: string, sort: string) => [
  { AttributeName: partition, KeyType: 'HASH' },
  { AttributeName: sort, KeyType: 'RANGE' },
];

describe('the tables', () => {
  it('are these, by ids that no refactoring changes', () => {
    expect(Object.keys(tables).sort()).toEqual([
      'AdmissionTable',
      'AuditTable',
      'EventTable',
      'OpenIntentTable',
    ]);
  });

  it.each(Object.keys(tables))('%s has no setting that costs more, copies it or opens it to others', (id) => {
    const kept = ['DeletionProtectionEnabled', 'PointInTimeRecoverySpecification', 'TimeToLiveSpecification'];
    expect(Object.keys(tables[id]?.['Properties']).toSorted()).toEqual(
      [
        'AttributeDefinitions',
        'BillingMode',
        'KeySchema',
        'OnDemandThroughput',
        'SSESpecification',
        ...(id === 'OpenIntentTable' ? [] : [...kept, 'GlobalSecondaryIndexes']),
      ].toSorted(),
    );
  });

  it('are deleted with the stack if they can be rebuilt', () => {
    expect(tables['OpenIntentTable']).toMatchObject({
      DeletionPolicy: 'Delete',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: key('list', 'batchId'),
        SSESpecification: { SSEEnabled: true },
      },
    });
  });

  it.each(['AuditTable', 'AdmissionTable', 'EventTable'])(
    '%s is kept, restorable, encrypted and paid by use',
    (id) => {
      expect(tables[id]).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          BillingMode: 'PAY_PER_REQUEST',
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          SSESpecification: { SSEEnabled: true },
          TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        },
      });
    },
  );

  it('answer for meetings, callers, days and denials', () => {
    expect(tables['AuditTable']?.['Properties']).toMatchObject({
      KeySchema: key('meetingId', 'recordId'),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-caller',
          KeySchema: key('callerId', 'batchId'),
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
        {
          IndexName: 'by-day',
          KeySchema: key('day', 'batchId'),
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
        {
          IndexName: 'denials-by-day',
          KeySchema: key('denialDay', 'batchId'),
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    });
  });

  it('answer for users and attendees', () => {
    expect(tables['AdmissionTable']?.['Properties']).toMatchObject({
      KeySchema: key('externalUserId', 'admissionId'),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-attendee',
          KeySchema: key('attendeeId', 'batchId'),
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['meetingId'] },
        },
      ],
    });
  });

  it.each(Object.keys(tables))('%s and each of its indexes have a maximum cost per second', (id) => {
    const guards = (config: object) => {
      const { Properties } = synthesize(config).findResources('AWS::DynamoDB::Table')[id] ?? {};
      const indexes: { OnDemandThroughput?: unknown }[] = Properties['GlobalSecondaryIndexes'] ?? [];
      return [Properties, ...indexes].map(({ OnDemandThroughput }) => OnDemandThroughput);
    };
    const indexes = tables[id]?.['Properties']['GlobalSecondaryIndexes']?.length ?? 0;
    const everyone = (guard: object) => Array.from({ length: 1 + indexes }, () => guard);
    expect(guards({})).toEqual(everyone({ MaxReadRequestUnits: 4000, MaxWriteRequestUnits: 4000 }));
    expect(guards({ limits: { tableWriteUnitsPerSecond: 100, tableReadUnitsPerSecond: 8 } })).toEqual(
      everyone({ MaxReadRequestUnits: 8, MaxWriteRequestUnits: 100 }),
    );
  });

  it("are encrypted by the account's own key for DynamoDB, or by the one that is given", () => {
    const encryption = (config: object) =>
      resourcesOf(synthesize(config), 'AWS::DynamoDB::Table').map(
        ({ Properties }) => Properties['SSESpecification'],
      );
    expect(encryption({})).toEqual(Array(4).fill({ SSEEnabled: true }));
    const given = {
      SSEEnabled: true,
      SSEType: 'KMS',
      KMSMasterKeyId: fullProduction.encryptionKeyArn,
    };
    expect(encryption(fullProduction)).toEqual(Array(4).fill(given));
  });
});

describe('the construct alone', () => {
  const alone = (props: (stack: Stack) => AuditTablesProps = () => ({})) => {
    const stack = new Stack(createApp(), 'Data');
    const set = new AuditTables(stack, 'Tables', props(stack));
    return { stack, set, template: Template.fromStack(stack) };
  };

  it('creates only the tables, so that they can be in a separate stack', () => {
    const { template } = alone();
    expect(resourcesOf(template).map(({ Type }) => Type)).toEqual(Array(4).fill('AWS::DynamoDB::Table'));
  });

  it("has a stack's own key encrypt all of them", () => {
    const { template } = alone((stack) => ({ encryptionKey: new Key(stack, 'Key') }));
    const [key] = resourcesOf(template, 'AWS::KMS::Key');
    const keys = resourcesOf(template, 'AWS::DynamoDB::Table').map(({ Properties }) =>
      flat((Properties['SSESpecification'] as { KMSMasterKeyId: unknown }).KMSMasterKeyId),
    );
    expect(keys).toEqual(Array(4).fill(`<${key?.id}.Arn>`));
  });

  it('makes those that are missing', () => {
    const { template, set } = alone((stack) => ({
      existing: { audit: Table.fromTableName(stack, 'Theirs', 'their-audit') },
    }));
    template.resourceCountIs('AWS::DynamoDB::Table', 3);
    expect(set.audit.tableName).toBe('their-audit');
  });

  it('makes none for events where there are none', () => {
    const { template, set } = alone(() => ({ withEvents: false }));
    template.resourceCountIs('AWS::DynamoDB::Table', 3);
    expect(set.events).toBeUndefined();
  });
});
