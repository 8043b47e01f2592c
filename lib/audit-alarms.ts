import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { MetricName } from '../lambda/metrics.ts';

export interface AuditAlarmsProps {
  metricsNamespace: string;
  /** Told of every alarm; left out, alarms are only to be seen in CloudWatch. */
  topicArn: string | undefined;
}

/** The service dimension that Powertools puts on every metric. */
const SERVICE = 'usher';

/** Alarms for what nobody would notice otherwise: a record of the audit that is missing or cannot be told. */
export class AuditAlarms extends Construct {
  constructor(scope: Construct, id: string, props: AuditAlarmsProps) {
    super(scope, id);
    const metric = (metricName: MetricName, statistic: string) =>
      new Metric({
        namespace: props.metricsNamespace,
        metricName,
        dimensionsMap: { service: SERVICE },
        statistic,
        period: Duration.minutes(5),
      });

    const unresolved = new Alarm(this, 'Unresolved', {
      alarmDescription:
        'A meeting ended before Usher could tell which attendees a batch had been given: their outcome is UNRESOLVED.',
      metric: metric('IntentsUnresolved', Stats.SUM),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    const openTooLong = new Alarm(this, 'OpenTooLong', {
      alarmDescription:
        'A batch has had no outcome for more than 15 minutes, or the reconciler cannot tell: it fails, lags or does not run.',
      metric: metric('OldestOpenIntentAge', Stats.MAXIMUM),
      threshold: Duration.minutes(15).toSeconds(),
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 2,
      treatMissingData: TreatMissingData.BREACHING,
    });

    if (props.topicArn !== undefined) {
      const action = new SnsAction(Topic.fromTopicArn(this, 'Topic', props.topicArn));
      for (const alarm of [unresolved, openTooLong]) alarm.addAlarmAction(action);
    }
  }
}
