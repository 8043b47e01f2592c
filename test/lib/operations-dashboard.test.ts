import { describe, expect, it } from '@jest/globals';
import { synthesize, theResource } from '../support/synthesize.ts';
import { alarmsOf, metricLinesOf, shownBy, widgetsOf } from '../support/watched-metrics.ts';

const template = synthesize();
const widgets = widgetsOf(template);

describe('the dashboard', () => {
  it('is one, whose name CloudFormation keeps unique', () => {
    expect(theResource(template, 'AWS::CloudWatch::Dashboard').Properties['DashboardName']).toBeUndefined();
  });

  it('shows every alarm', () => {
    const shown = widgets.flatMap(({ properties }) => properties.alarms ?? []);
    expect(shown.toSorted()).toEqual(
      alarmsOf(template)
        .map(({ id }) => `<${id}.Arn>`)
        .toSorted(),
    );
  });

  it('shows exactly this, in this order', () => {
    const [handler, reconciler, observer, sealer] = ['Attendees', 'Reconciler', 'Observer', 'Sealer'].map(
      (name) => `FunctionName=<${theResource(template, 'AWS::Lambda::Function', name).id}>`,
    );
    const denials = theResource(template, 'AWS::CloudWatch::Alarm', 'AlarmsDenialsSurge');
    const own = (metric: string, statistic = 'Sum') =>
      `Usher/usher-test ${metric} service=usher: ${statistic} of 300 s`;
    const failed = (reason: string) =>
      `Usher/usher-test FailedRequests reason=${reason} service=usher: Sum of 300 s, "${reason}"`;
    const api = (metric: string, statistic = 'Sum of 300 s') =>
      `AWS/ApiGateway ${metric} ApiName=usher-test Stage=v1: ${statistic}`;
    const table = (metric: string, name: string, label: string) =>
      `AWS/DynamoDB ${metric} TableName=<${name}>: Sum of 300 s, "${label}"`;
    expect(widgets.map((widget) => [widget.properties.title, shownBy(widget)])).toEqual([
      ['Alarms', []],
      ['Batches answered, attendees', [own('BatchesAnswered'), own('AttendeesIssued')]],
      ['Answers', [api('Count'), api('4XXError'), api('5XXError')]],
      ['Time to answer, ms', [api('Latency', 'p50 of 300 s, "p50"'), api('Latency', 'p99 of 300 s, "p99"')]],
      ['Denials by all rules', [`${metricLinesOf(denials)[0]}, "Denials"`]],
      [
        'Withheld, above the ceiling, refused individually by Chime',
        [own('AttendeesWithheld'), own('AttendeesAboveCeiling'), own('AttendeeErrors')],
      ],
      [
        'Refused by Chime, or unknown',
        [
          failed('chime-throttled'),
          failed('chime-refused'),
          failed('chime-ambiguous'),
          failed('chime-access'),
        ],
      ],
      ['Oldest open batch, s', [own('OldestOpenIntentAge', 'Maximum')]],
      [
        'Decided by the reconciler',
        [own('IntentsRecovered'), own('IntentsNotIssued'), own('IntentsUnresolved')],
      ],
      [
        'Functions: errors, throttles',
        [
          `AWS/Lambda Errors ${handler}: Sum of 300 s, "handler errors"`,
          `AWS/Lambda Throttles ${handler}: Sum of 300 s, "handler throttles"`,
          `AWS/Lambda Errors ${reconciler}: Sum of 300 s, "reconciler errors"`,
        ],
      ],
      ['Handler concurrency', [`AWS/Lambda ConcurrentExecutions ${handler}: Maximum of 300 s`]],
      [
        'Write request units',
        [
          table('ConsumedWriteCapacityUnits', 'AuditTable', 'audit'),
          table('ConsumedWriteCapacityUnits', 'AdmissionTable', 'admissions'),
        ],
      ],
      [
        'Throttled by the tables',
        [
          table('WriteThrottleEvents', 'AuditTable', 'audit'),
          table('WriteThrottleEvents', 'AdmissionTable', 'admissions'),
          table('WriteThrottleEvents', 'OpenIntentTable', 'open intents'),
        ],
      ],
      ['Present without a record of Usher', [own('AttendeesWithoutRecord')]],
      ['Events of Chime: recorded, malformed', [own('EventsRecorded'), own('EventsMalformed')]],
      [
        'Observer: errors, events in the dead-letter queue',
        [
          `AWS/Lambda Errors ${observer}: Sum of 300 s, "observer errors"`,
          `AWS/SQS ApproximateNumberOfMessagesVisible QueueName=<${theResource(template, 'AWS::SQS::Queue').id}.QueueName>: Maximum of 300 s, "dead letters"`,
        ],
      ],
      [
        'Hours due without a seal, broken seals',
        [own('HoursUnsealed', 'Maximum'), own('SealsBroken', 'Maximum')],
      ],
      ['Hours sealed, records sealed late', [own('HoursSealed'), own('RecordsSealedLate')]],
      [
        'Sealer: errors, ms a run',
        [
          `AWS/Lambda Errors ${sealer}: Sum of 300 s, "errors"`,
          `AWS/Lambda Duration ${sealer}: Maximum of 300 s, "ms"`,
        ],
      ],
    ]);
  });
});
