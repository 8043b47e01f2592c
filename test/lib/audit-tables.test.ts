import { describe, expect, it } from '@jest/globals';
import { synthesize } from './synthesize.ts';

const tables = synthesize().findResources('AWS::DynamoDB::Table');

const key = (partition: string, sort: string) => [
  { AttributeName: partition, KeyType: 'HASH' },
  { AttributeName: sort, KeyType: 'RANGE' },
];

describe('the tables', () => {
  it('are these, by ids that no refactoring changes', () => {
    expect(Object.keys(tables).sort()).toEqual(['AdmissionTable', 'AuditTable', 'OpenIntentTable']);
  });

  it('end with the stack where they hold nothing that could not be made again', () => {
    expect(tables['OpenIntentTable']).toMatchObject({
      DeletionPolicy: 'Delete',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: key('list', 'batchId'),
        SSESpecification: { SSEEnabled: true },
      },
    });
  });

  it.each(['AuditTable', 'AdmissionTable'])('%s is kept, restorable, encrypted and paid by use', (id) => {
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
  });

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
});
