import { describe, expect, it } from '@jest/globals';
import { Aws, CfnParameter, type Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { readSettings } from '../../lambda/observer/environment.ts';
import { AuditTables } from '../../lib/audit-tables.ts';
import type { AttendeeFacadeProps } from '../../lib/facade-props.ts';
import { problemOf } from '../support/configuration-error.ts';
import {
  addFacade,
  createForeignStack,
  resourcesOf,
  synthesize,
  theResource,
} from '../support/synthesize.ts';

const template = synthesize({ audit: { retentionDays: 30 } });
const alias = theResource(template, 'AWS::Lambda::Alias', 'Observer').id;
const queue = theResource(template, 'AWS::SQS::Queue').id;
const arnOfQueue = { 'Fn::GetAtt': [queue, 'Arn'] };

describe('the observer', () => {
  it('is given settings that it reads, and no other variable', () => {
    const { Variables } = theResource(template, 'AWS::Lambda::Function', 'Observer').Properties[
      'Environment'
    ] as { Variables: Record<string, unknown> };
    const named = Object.fromEntries(
      Object.entries(Variables).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : (value as { Ref: string }).Ref,
      ]),
    );
    expect(readSettings(named)).toEqual({
      eventTableName: 'EventTable',
      auditTableName: 'AuditTable',
      admissionTableName: 'AdmissionTable',
      retentionDays: 30,
    });
    expect(Object.keys(Variables)).toHaveLength(7);
  });

  it('is run by exactly the events that it records, tried again for a day, and kept after that', () => {
    const { Properties } = theResource(template, 'AWS::Events::Rule', 'ObserverEvents');
    expect(Properties).toEqual({
      Description: 'Usher: who was added to a meeting, and who joined it',
      EventPattern: {
        source: ['aws.chime'],
        'detail-type': ['Chime Meeting State Change'],
        detail: { eventType: ['chime:AttendeeAdded', 'chime:AttendeeJoined'] },
      },
      State: 'ENABLED',
      Targets: [
        {
          Id: 'Target0',
          Arn: { Ref: alias },
          DeadLetterConfig: { Arn: arnOfQueue },
          RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
        },
      ],
    });
  });

  it('has what it fails at kept by Lambda, after two more attempts', () => {
    expect(theResource(template, 'AWS::Lambda::EventInvokeConfig', 'Observer').Properties).toEqual({
      FunctionName: { Ref: theResource(template, 'AWS::Lambda::Function', 'Observer').id },
      Qualifier: { 'Fn::Select': [7, { 'Fn::Split': [':', { Ref: alias }] }] },
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 21_600,
      DestinationConfig: { OnFailure: { Destination: arnOfQueue } },
    });
  });

  it('judges each quarter of an hour, off its edges', () => {
    expect(theResource(template, 'AWS::Events::Rule', 'ObserverEveryQuarter').Properties).toMatchObject({
      ScheduleExpression: 'cron(5/15 * * * ? *)',
      Targets: [{ Id: 'Target0', Input: '{"judge":"last"}', Arn: { Ref: alias } }],
    });
  });

  it('has a queue that is encrypted, keeps for 14 days, and lets in one rule, by TLS', () => {
    expect(theResource(template, 'AWS::SQS::Queue').Properties).toEqual({
      MessageRetentionPeriod: 14 * 86_400,
      SqsManagedSseEnabled: true,
    });
    const { PolicyDocument } = theResource(template, 'AWS::SQS::QueuePolicy').Properties;
    const rule = theResource(template, 'AWS::Events::Rule', 'ObserverEvents').id;
    expect((PolicyDocument as { Statement: object[] }).Statement).toEqual([
      expect.objectContaining({
        Effect: 'Deny',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        Principal: { AWS: '*' },
      }),
      expect.objectContaining({
        Effect: 'Allow',
        Action: 'sqs:SendMessage',
        Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [rule, 'Arn'] } } },
        Principal: { Service: 'events.amazonaws.com' },
      }),
    ]);
  });
});

describe('whether events are recorded', () => {
  const inFrankfurt = { env: { region: 'eu-central-1', account: '123456789012' } };
  const observed = (stack: Stack, props: AttendeeFacadeProps = {}) =>
    addFacade(stack, props).observer !== undefined;

  const infosOf = (stack: Stack) =>
    Annotations.fromStack(stack)
      .findInfo('*', Match.anyValue())
      .map(({ entry }) => entry.data);

  it.each<[string, boolean, (stack: Stack) => AttendeeFacadeProps]>([
    ['nothing is said', true, () => ({})],
    ['meetings are in the Region of the stack', true, () => ({ meetingsRegion: 'eu-central-1' })],
    ['meetings are where the deployment is', true, () => ({ meetingsRegion: Aws.REGION })],
    ['meetings are elsewhere', false, () => ({ meetingsRegion: 'us-east-1' })],
    [
      'only the deployment knows where meetings are',
      false,
      (stack) => ({ meetingsRegion: new CfnParameter(stack, 'Where').valueAsString }),
    ],
    [
      'only the deployment knows where meetings are, and events are asked for',
      true,
      (stack) => ({
        meetingsRegion: new CfnParameter(stack, 'Where').valueAsString,
        events: { enabled: true },
      }),
    ],
    ['they are switched off', false, () => ({ events: { enabled: false } })],
  ])('where %s: %s', (_what, expected, props) => {
    const stack = createForeignStack(inFrankfurt);
    expect(observed(stack, props(stack))).toBe(expected);
    const tables = resourcesOf(Template.fromStack(stack), 'AWS::DynamoDB::Table');
    expect(tables).toHaveLength(expected ? 4 : 3);
  });

  it('is not by default where the Region of the stack is not known and that of the meetings is', () => {
    expect(observed(createForeignStack(), { meetingsRegion: 'eu-central-1' })).toBe(false);
  });

  it('is said at synthesis where it is no, and not where that was asked for', () => {
    const silent = createForeignStack(inFrankfurt);
    addFacade(silent, { events: { enabled: false } });
    expect(infosOf(silent)).toEqual([]);
    const informed = createForeignStack(inFrankfurt);
    addFacade(informed, { meetingsRegion: 'us-east-1' });
    expect(infosOf(informed)).toEqual([expect.stringContaining('events are not recorded')]);
  });

  it('is refused where none would arrive, and so is an alarm that would never go off', () => {
    const elsewhere = { meetingsRegion: 'us-east-1' };
    const problem = (props: AttendeeFacadeProps) =>
      problemOf(() => addFacade(createForeignStack(inFrankfurt), props));
    expect(problem({ ...elsewhere, events: { enabled: true } })).toMatch(
      /^Theirs\/Facade: events\.enabled: is true, but Chime sends the events of meetings in us-east-1 there/,
    );
    expect(problem({ ...elsewhere, alarms: { attendeesWithoutRecord: 1 } })).toMatch(
      /^Theirs\/Facade: alarms\.attendeesWithoutRecord: is given, but no events are recorded/,
    );
  });

  it('leaves an existing table of events to those who write it', () => {
    const stack = createForeignStack(inFrankfurt);
    const tables = new AuditTables(stack, 'Tables');
    const facade = addFacade(stack, { tables, meetingsRegion: 'us-east-1' });
    expect([facade.observer, facade.tables.events]).toEqual([undefined, tables.events]);
  });
});
