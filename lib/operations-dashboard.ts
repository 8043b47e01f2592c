import { Duration } from 'aws-cdk-lib';
import { AlarmStatusWidget, Dashboard, GraphWidget, type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import type { AuditTableSet } from './audit-tables.ts';
import type { FacadeMetrics } from './facade-metrics.ts';
import type { ObserverFunction } from './observer-function.ts';

export interface OperationsDashboardProps {
  alarms: Alarms;
  metrics: FacadeMetrics;
  handler: IFunction;
  reconciler: IFunction;
  observer: ObserverFunction | undefined;
  /** Undefined where no seals are made. */
  sealer: IFunction | undefined;
  tables: AuditTableSet;
}

/** One dashboard for health, admissions, latency and open batches. */
export class OperationsDashboard extends Construct {
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, props: OperationsDashboardProps) {
    super(scope, id);
    const { alarms, metrics, handler, reconciler, sealer, tables } = props;
    const period = Duration.minutes(5);
    const throttled = (label: string, table: ITable) =>
      table.metric('WriteThrottleEvents', { statistic: Stats.SUM, period, label });
    const written = (label: string, table: ITable) =>
      table.metric('ConsumedWriteCapacityUnits', { statistic: Stats.SUM, period, label });

    this.dashboard = new Dashboard(this, 'Dashboard', {
      defaultInterval: Duration.hours(12),
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', alarms: alarms.all(), width: 24, height: 3 })],
        [
          graph(
            'Batches answered, attendees',
            metrics.own('BatchesAnswered'),
            metrics.own('AttendeesIssued'),
          ),
          graph('Answers', metrics.api('Count'), metrics.api('4XXError'), metrics.api('5XXError')),
          graph(
            'Time to answer, ms',
            metrics.api('Latency', { statistic: 'p50', label: 'p50' }),
            metrics.api('Latency', { statistic: 'p99', label: 'p99' }),
          ),
        ],
        [
          graph('Denials by all rules', metrics.denied()),
          graph(
            'Withheld, above the ceiling, refused individually by Chime',
            metrics.own('AttendeesWithheld'),
            metrics.own('AttendeesAboveCeiling'),
            metrics.own('AttendeeErrors'),
          ),
          graph(
            'Refused by Chime, or unknown',
            ...(['chime-throttled', 'chime-refused', 'chime-ambiguous', 'chime-access'] as const).map(
              (reason) => metrics.own('FailedRequests', { reason, label: reason }),
            ),
          ),
        ],
        [
          graph('Oldest open batch, s', metrics.own('OldestOpenIntentAge', { statistic: Stats.MAXIMUM })),
          graph(
            'Decided by the reconciler',
            metrics.own('IntentsRecovered'),
            metrics.own('IntentsNotIssued'),
            metrics.own('IntentsUnresolved'),
          ),
          graph(
            'Functions: errors, throttles',
            handler.metricErrors({ period, label: 'handler errors' }),
            handler.metricThrottles({ period, label: 'handler throttles' }),
            reconciler.metricErrors({ period, label: 'reconciler errors' }),
          ),
        ],
        [
          graph(
            'Handler concurrency',
            handler.metric('ConcurrentExecutions', { statistic: Stats.MAXIMUM, period }),
          ),
          graph(
            'Write request units',
            written('audit', tables.audit),
            written('admissions', tables.admissions),
          ),
          graph(
            'Throttled by the tables',
            throttled('audit', tables.audit),
            throttled('admissions', tables.admissions),
            throttled('open intents', tables.openIntents),
          ),
        ],
        ...eventRow(props),
        ...(sealer === undefined ? [] : [sealRow(sealer, metrics)]),
      ],
    });
  }
}

function graph(title: string, ...left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 8, height: 6 });
}

/** What Chime's events say, where they are recorded. */
function eventRow({ metrics, observer }: OperationsDashboardProps): GraphWidget[][] {
  if (observer === undefined) return [];
  return [
    [
      graph('Present without a record of Usher', metrics.own('AttendeesWithoutRecord')),
      graph(
        'Events of Chime: recorded, malformed',
        metrics.own('EventsRecorded'),
        metrics.own('EventsMalformed'),
      ),
      graph(
        'Observer: errors, events in the dead-letter queue',
        observer.function.metricErrors({ period: Duration.minutes(5), label: 'observer errors' }),
        observer.deadLettersMetric({ label: 'dead letters' }),
      ),
    ],
  ];
}

function sealRow(sealer: IFunction, metrics: FacadeMetrics): GraphWidget[] {
  const period = Duration.minutes(5);
  return [
    graph(
      'Hours due without a seal, broken seals',
      metrics.own('HoursUnsealed', { statistic: Stats.MAXIMUM }),
      metrics.own('SealsBroken', { statistic: Stats.MAXIMUM }),
    ),
    graph('Hours sealed, records sealed late', metrics.own('HoursSealed'), metrics.own('RecordsSealedLate')),
    graph(
      'Sealer: errors, ms a run',
      sealer.metricErrors({ period, label: 'errors' }),
      sealer.metricDuration({ period, statistic: Stats.MAXIMUM, label: 'ms' }),
    ),
  ];
}
