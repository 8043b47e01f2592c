import { describe, expect, it } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { AttendeeFacade } from '../../lib/attendee-facade.ts';
import type { IAttendeeFacade } from '../../lib/attendee-facade-base.ts';
import { problemOf } from '../support/configuration-error.ts';
import { addFacade, createApp, createForeignStack, flat, resourcesOf } from '../support/synthesize.ts';

const KEY_ARN = 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';

function existing(stack: Stack): IAttendeeFacade {
  const encryptionKey = Key.fromKeyArn(stack, 'Key', KEY_ARN);
  const table = (name: string) => Table.fromTableAttributes(stack, name, { tableName: name, encryptionKey });
  return AttendeeFacade.fromAttributes(stack, 'Meetings', {
    facadeName: 'usher-production',
    tables: { audit: table('audit'), admissions: table('admissions'), openIntents: table('open') },
  });
}

/** What is granted to a role of its own, references flattened. */
function grantsOf(stack: Stack, facade: IAttendeeFacade): unknown[] {
  const auditor = new Role(stack, 'Auditor', { assumedBy: new AccountRootPrincipal() });
  facade.grantReadAudit(auditor);
  return resourcesOf(Template.fromStack(stack), 'AWS::IAM::Policy', 'Auditor')
    .flatMap(
      ({ Properties }) => (Properties['PolicyDocument'] as { Statement: { Resource: unknown }[] }).Statement,
    )
    .map((statement) => ({ ...statement, Resource: [statement.Resource].flat().map(flat) }));
}

describe('a facade by its attributes', () => {
  it('lets another stack grant to read the audit, by its keys and indexes, and its encryption key', () => {
    const stack = createForeignStack();
    const arn = (name: string) =>
      `arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/${name}`;
    expect(grantsOf(stack, existing(stack))).toEqual([
      {
        Effect: 'Allow',
        Action: ['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:BatchGetItem'],
        Resource: [
          arn('audit'),
          ...['by-caller', 'by-day', 'denials-by-day'].map((name) => `${arn('audit')}/index/${name}`),
          arn('admissions'),
          `${arn('admissions')}/index/by-attendee`,
          arn('open'),
        ],
      },
      expect.objectContaining({ Action: ['kms:Decrypt', 'kms:DescribeKey'], Resource: [KEY_ARN] }),
    ]);
  });

  it('creates nothing', () => {
    const stack = createForeignStack();
    existing(stack);
    expect(Template.fromStack(stack).toJSON()['Resources']).toBeUndefined();
  });

  it('has the metrics of the facade that is created under its name', () => {
    const stack = createForeignStack();
    const created: IAttendeeFacade = addFacade(stack, { stageName: 'v2', metricsNamespace: 'Meetings' });
    const known = AttendeeFacade.fromAttributes(stack, 'Known', created);
    const metricsOf = (facade: IAttendeeFacade): (Metric | MathExpression)[] => [
      facade.metric('IntentsUnresolved'),
      facade.metricBatches(),
      facade.metricIssued(),
      facade.metricDenied(),
      facade.metricOldestOpenIntent(),
      facade.metricServerErrors(),
      facade.metricLatency(),
    ];
    const written = (facade: IAttendeeFacade) => metricsOf(facade).map((metric) => metric.toMetricConfig());
    expect(written(known)).toEqual(written(created));
    expect(existing(stack).metricBatches()).toMatchObject({ namespace: 'Usher/usher-production' });
  });

  it('rejects a grantee of another account, as the facade itself does', () => {
    const stack = createForeignStack({ env: { region: 'eu-central-1', account: '123456789012' } });
    const elsewhere = Role.fromRoleArn(stack, 'Elsewhere', 'arn:aws:iam::999999999999:role/auditor');
    expect(problemOf(() => existing(stack).grantReadAudit(elsewhere))).toMatch(
      /^Theirs\/Meetings: grantReadAudit: the grantee belongs to account 999999999999,/,
    );
  });
});

describe('a facade of the same app', () => {
  it('lets another stack grant to read its audit', () => {
    const app = createApp();
    const facade = addFacade(createForeignStack({}, app));
    const [statement] = grantsOf(new Stack(app, 'Auditors'), facade);
    expect(statement).toMatchObject({ Action: expect.arrayContaining(['dynamodb:Query']) });
  });
});
