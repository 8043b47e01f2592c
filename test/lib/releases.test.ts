import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import {
  type CognitoResource,
  lossesOf,
  type Retained,
  type RetainedTable,
  retainedOf,
} from '../support/retained.ts';
import { addFacade, createForeignStack, createStack } from '../support/synthesize.ts';

const FOLDER = 'docs/releases';

/** What a release's file holds: the stack of the command line, and a facade with the id `Facade` in a user's stack. */
interface Release {
  stack: Retained;
  construct: Retained;
}

const released = readdirSync(FOLDER)
  .filter((file) => /^tables-.*\.json$/.test(file))
  .map((file): [string, Release] => [file, JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8'))]);

const theirs = createForeignStack();
addFacade(theirs);
const current: Release = {
  stack: retainedOf(Template.fromStack(createStack())),
  construct: retainedOf(Template.fromStack(theirs)),
};

describe('an upgrade', () => {
  it('has a release to be compared with', () => {
    expect(released.map(([file]) => file)).toContain('tables-0.1.0.json');
  });

  it.each(released)('from %s loses nothing', (_file, release) => {
    expect(Object.keys(release.stack.tables).length).toBeGreaterThanOrEqual(3);
    expect(Object.keys(release.construct.tables).length).toBeGreaterThanOrEqual(3);
    expect(lossesOf(release.stack, current.stack)).toEqual([]);
    expect(lossesOf(release.construct, current.construct)).toEqual([]);
  });
});

describe('the comparison', () => {
  const was = current.stack;
  const audit = was.tables['AuditTable'] as RetainedTable;
  const withAudit = (changed: Partial<RetainedTable>): Retained => ({
    ...was,
    tables: { ...was.tables, AuditTable: { ...audit, ...changed } },
  });
  const pool = was.cognito['CallerPool'] as CognitoResource;
  const withPool = (changed: Partial<CognitoResource>): Retained => ({
    ...was,
    cognito: { ...was.cognito, CallerPool: { ...pool, ...changed } },
  });
  const [[groupId, group] = ['', { retentionDays: null, kept: '' }]] = Object.entries(was.logs);
  const withGroup = (changed: object): Retained => ({
    ...was,
    logs: { ...was.logs, [groupId]: { ...group, ...changed } },
  });
  const byDay = audit.indexes['by-day'] as RetainedTable['indexes'][string];

  it('allows what is new', () => {
    const index = { key: 'caller S', projection: 'ALL' };
    const more = withAudit({ indexes: { ...audit.indexes, 'by-client': index } });
    const now = {
      tables: { ...more.tables, Another: audit },
      cognito: { ...was.cognito, Another: pool },
      logs: { ...was.logs, Another: group },
    };
    expect(lossesOf(was, now)).toEqual([]);
  });

  it.each<[string, Retained, string]>([
    [
      'a table with another logical id',
      { ...was, tables: { ...was.tables, AuditTable: undefined as never, Audit: audit } },
      'The table AuditTable is gone',
    ],
    [
      'another kind of table',
      withAudit({ type: 'AWS::DynamoDB::GlobalTable' }),
      'The type of the table AuditTable',
    ],
    [
      'a name of its own',
      withAudit({ tableName: 'audit' }),
      'The tableName of the table AuditTable was null and is audit',
    ],
    ['another key', withAudit({ key: 'meetingId S, batchId S' }), 'The key of the table AuditTable'],
    [
      'an attribute of another type',
      withAudit({ key: 'meetingId S, recordId N' }),
      'The key of the table AuditTable',
    ],
    [
      'an index that is gone',
      withAudit({ indexes: {} }),
      'The index by-caller of the table AuditTable is gone',
    ],
    [
      'an index by another key',
      withAudit({ indexes: { ...audit.indexes, 'by-day': { ...byDay, key: 'day S' } } }),
      'The index by-day of the table AuditTable was by day S, batchId S with KEYS_ONLY and is by day S',
    ],
    [
      'an index that projects something else',
      withAudit({ indexes: { ...audit.indexes, 'by-day': { ...byDay, projection: 'ALL' } } }),
      'The index by-day of the table AuditTable was by day S, batchId S with KEYS_ONLY and is by day S, batchId S with ALL',
    ],
    [
      'a table that goes with the stack',
      withAudit({ kept: 'Delete, Retain' }),
      'was Retain, Retain and is Delete, Retain',
    ],
    [
      'another time to live',
      withAudit({ timeToLive: null }),
      'AuditTable expired by expiresAt and do so by null',
    ],
    ['less protection', withAudit({ isProtected: false }), 'AuditTable is no longer as safe: isProtected'],
    ['no way back', withAudit({ isRestorable: false }), 'AuditTable is no longer as safe: isRestorable'],
    [
      'a pool with other names',
      withPool({ fixed: { UsernameAttributes: '["email"]' } }),
      'The UsernameAttributes of the AWS::Cognito::UserPool CallerPool was undefined and is ["email"]',
    ],
    [
      'a pool that goes with the stack',
      withPool({ kept: 'Delete, Delete' }),
      'UserPool CallerPool when it is removed or replaced was Retain, Retain',
    ],
    ['a log group that is gone', { ...was, logs: {} }, `The log group ${groupId} is gone`],
    [
      'a log group that goes with the stack',
      withGroup({ kept: 'Delete, Delete' }),
      `log group ${groupId} when it is removed`,
    ],
    [
      'a log group that forgets sooner',
      withGroup({ retentionDays: 1 }),
      'kept lines for 30 days and keeps them for 1',
    ],
    ['another user pool', { ...was, cognito: {} }, 'The AWS::Cognito::UserPool CallerPool is gone'],
  ])('reports %s', (_what, now, message) => {
    expect(lossesOf(was, now).join('\n')).toContain(message);
  });

  it('reports a stream that a consumer may read', () => {
    const streamed = withAudit({ stream: 'NEW_IMAGE' });
    expect(lossesOf(streamed, was)).toEqual([
      'The stream of the table AuditTable held NEW_IMAGE and holds null.',
    ]);
    expect(lossesOf(was, streamed)).toEqual([]);
  });
});
