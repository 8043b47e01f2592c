import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { letAlarmsPublish } from './alarm-topic.ts';
import type { FacadeMetrics } from './facade-metrics.ts';
import type { ObserverFunction } from './observer-function.ts';
import type { CompleteSettings } from './settings/props.ts';

export interface AlarmsProps {
  settings: CompleteSettings['alarms'];
  metrics: FacadeMetrics;
  handler: IFunction;
  reconciler: IFunction;
  observer: ObserverFunction | undefined;
  /** Undefined where no seals are made. */
  sealer: IFunction | undefined;
  /** Notified of every alarm, and of its end; without it, alarms show in CloudWatch only. */
  topic?: ITopic | undefined;
}

const EVERY_MINUTE = { period: Duration.minutes(1) };

/** The alarms for operators, each with its section of the runbook. */
export class Alarms extends Construct {
  readonly serverErrors: Alarm;
  readonly functionFailing: Alarm;
  readonly functionThrottled: Alarm;
  readonly latency: Alarm;
  readonly chimeThrottling: Alarm;
  readonly denialsSurge: Alarm;
  readonly aboveCeilingSurge: Alarm;
  readonly openTooLong: Alarm;
  readonly unresolved: Alarm;
  readonly foundLate: Alarm;
  readonly reconcilerFailing: Alarm;
  /** Undefined where Chime's events are not recorded. */
  readonly eventsNotRecorded: Alarm | undefined;
  /** Undefined where the settings ask for none. */
  readonly withoutRecord: Alarm | undefined;
  /** Undefined where no seals are made, as is the next one. */
  readonly hoursUnsealed: Alarm | undefined;
  readonly sealsBroken: Alarm | undefined;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { settings, metrics, handler, reconciler } = props;
    const alarm = alarmMaker(this, props);
    const inTwoMinutesOfThree = {
      threshold: settings.serverErrorsPerMinute,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
    };
    this.serverErrors = alarm(
      'ServerErrors',
      'server-errors',
      `Requests are answered with 5xx, throttled ones not counted: ${settings.serverErrorsPerMinute} a minute or more, in two minutes of three.`,
      { metric: metrics.serverErrorsNotThrottled(handler, EVERY_MINUTE), ...inTwoMinutesOfThree },
    );
    this.functionThrottled = alarm(
      'FunctionThrottled',
      'function-throttled',
      `Requests are answered with 500 because the function has no free concurrency: ${settings.serverErrorsPerMinute} a minute or more, in two minutes of three.`,
      { metric: handler.metricThrottles(EVERY_MINUTE), ...inTwoMinutesOfThree },
    );
    this.functionFailing = alarm(
      'FunctionFailing',
      'function-failing',
      'The handler crashes or times out, once a minute or more. Its answer is lost, its batch stays open.',
      { metric: handler.metricErrors(EVERY_MINUTE), threshold: 1 },
    );
    this.latency = alarm(
      'Latency',
      'latency',
      `One in a hundred answers takes ${settings.latencyMs} ms or longer, for fifteen minutes.`,
      { metric: metrics.api('Latency'), threshold: settings.latencyMs, evaluationPeriods: 3 },
    );
    this.chimeThrottling = alarm(
      'ChimeThrottling',
      'chime-throttling',
      "Chime refuses requests because the account's quota is spent: ten or more in five minutes.",
      { metric: metrics.own('FailedRequests', { reason: 'chime-throttled' }), threshold: 10 },
    );
    this.denialsSurge = alarm(
      'DenialsSurge',
      'denials-surge',
      `Known callers are denied, ${settings.denialsPerFiveMinutes} times in five minutes or more: an attack, or an application or a rule that is wrong.`,
      { metric: metrics.denied(), threshold: settings.denialsPerFiveMinutes },
    );
    this.aboveCeilingSurge = alarm(
      'AboveCeilingSurge',
      'above-ceiling-surge',
      `Guests are given existing attendees with more than their ceiling, ${settings.aboveCeilingPerFiveMinutes} times in five minutes or more: hosts promote many, or Chime ignores capabilities.`,
      { metric: metrics.own('AttendeesAboveCeiling'), threshold: settings.aboveCeilingPerFiveMinutes },
    );
    this.openTooLong = alarm(
      'OpenTooLong',
      'open-too-long',
      'A batch has had no outcome for more than 15 minutes, or the reconciler cannot tell: it fails, lags or does not run.',
      {
        metric: metrics.own('OldestOpenIntentAge', { statistic: Stats.MAXIMUM }),
        threshold: Duration.minutes(15).toSeconds(),
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: 2,
        treatMissingData: TreatMissingData.BREACHING,
      },
    );
    this.unresolved = alarm(
      'Unresolved',
      'unresolved',
      'A meeting ended before Usher could tell which attendees a batch had been given: their outcome is UNRESOLVED.',
      { metric: metrics.own('IntentsUnresolved'), threshold: 1 },
    );
    this.foundLate = alarm(
      'FoundLate',
      'found-late',
      'The reconciler found batches without outcome more than an hour after they began: a clock is off, or an index late.',
      { metric: metrics.own('IntentsFoundLate'), threshold: 1 },
    );
    this.reconcilerFailing = alarm(
      'ReconcilerFailing',
      'reconciler-failing',
      'The reconciler fails, or skips batches that it cannot process, for fifteen minutes.',
      { metric: metrics.reconcilerFailures(reconciler), threshold: 1, evaluationPeriods: 3 },
    );
    const ofEvents = eventAlarms(alarm, props);
    this.eventsNotRecorded = ofEvents.eventsNotRecorded;
    this.withoutRecord = ofEvents.withoutRecord;
    const ofSeals = props.sealer && sealAlarms(alarm, metrics);
    this.hoursUnsealed = ofSeals?.hoursUnsealed;
    this.sealsBroken = ofSeals?.sealsBroken;
  }

  all(): Alarm[] {
    return [
      this.serverErrors,
      this.functionFailing,
      this.functionThrottled,
      this.latency,
      this.chimeThrottling,
      this.denialsSurge,
      this.aboveCeilingSurge,
      this.openTooLong,
      this.unresolved,
      this.foundLate,
      this.reconcilerFailing,
      ...[this.eventsNotRecorded, this.withoutRecord].filter((alarm) => alarm !== undefined),
      ...[this.hoursUnsealed, this.sealsBroken].filter((alarm) => alarm !== undefined),
    ];
  }
}

type Watched = Partial<AlarmProps> & Pick<AlarmProps, 'metric' | 'threshold'>;

type MakeAlarm = (id: string, section: string, what: string, alarmProps: Watched) => Alarm;

/** @returns makes an alarm with a section of the runbook */
function alarmMaker(scope: Alarms, { settings, topic }: AlarmsProps): MakeAlarm {
  if (topic !== undefined) letAlarmsPublish(topic, Stack.of(scope));
  return (id, section, what, alarmProps) => {
    const made = new Alarm(scope, id, {
      alarmDescription: `${what} What to do: ${settings.runbookUrl}#${section}`,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      // No data means no problem.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...alarmProps,
    });
    if (topic === undefined) return made;
    made.addAlarmAction(new SnsAction(topic));
    made.addOkAction(new SnsAction(topic));
    return made;
  };
}

function eventAlarms(
  alarm: MakeAlarm,
  { settings: { attendeesWithoutRecord }, metrics, observer }: AlarmsProps,
): Pick<Alarms, 'eventsNotRecorded' | 'withoutRecord'> {
  return {
    eventsNotRecorded:
      observer &&
      alarm(
        'EventsNotRecorded',
        'events-not-recorded',
        'Events of Chime could not be recorded, and wait in the dead-letter queue for 14 days.',
        { metric: observer.deadLettersMetric(), threshold: 1 },
      ),
    withoutRecord:
      attendeesWithoutRecord === undefined
        ? undefined
        : alarm(
            'WithoutRecord',
            'present-without-a-record',
            `Attendees are in meetings without a record of Usher, ${attendeesWithoutRecord} in a quarter hour or more: they came in by another door.`,
            { metric: metrics.own('AttendeesWithoutRecord'), threshold: attendeesWithoutRecord },
          ),
  };
}

function sealAlarms(alarm: MakeAlarm, metrics: FacadeMetrics) {
  return {
    hoursUnsealed: alarm(
      'HoursUnsealed',
      'hours-unsealed',
      'Hours of the audit are due and have no seal, or the sealer does not run, for three hours.',
      {
        metric: metrics.own('HoursUnsealed', { statistic: Stats.MAXIMUM, period: Duration.hours(1) }),
        threshold: 1,
        evaluationPeriods: 3,
        treatMissingData: TreatMissingData.BREACHING,
      },
    ),
    sealsBroken: alarm(
      'SealsBroken',
      'seals-broken',
      'A seal of the last two days is missing, is no seal, or is not the one that the next one names.',
      { metric: metrics.own('SealsBroken'), threshold: 1 },
    ),
  };
}
