import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';
import type { MetricName } from '../lambda/model/metrics.ts';
import { DENYING_RULES, type Reason } from '../lambda/model/reasons.ts';

/** Options of one of the functions' own metrics. */
export interface OwnMetricOptions extends MetricOptions {
  /**
   * The reason to count, for a metric that is counted by reason.
   * @default none
   */
  readonly reason?: Reason;
}

/** Options of the denials by all rules together. */
export interface DenialMetricOptions {
  /** @default five minutes */
  readonly period?: Duration;
}

export interface FacadeMetricsProps {
  /** Where the metrics are: required for graphs and alarms in another account or Region. */
  scope: IConstruct;
  /** The namespace of the functions' own metrics. */
  namespace: string;
  apiName: string;
  stageName: string;
}

/**
 * The metrics of one facade.
 * Expressions use basic arithmetic only: CloudWatch documents that a missing value counts as 0 there
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html), but not for `SUM([...])`.
 */
export class FacadeMetrics {
  readonly #props: FacadeMetricsProps;

  constructor(props: FacadeMetricsProps) {
    this.#props = props;
  }

  /** One of the functions' own metrics; with a reason if it is counted by reason. */
  own(metricName: MetricName, options: OwnMetricOptions = {}): Metric {
    const { reason, ...rest } = options;
    return new Metric({
      namespace: this.#props.namespace,
      metricName,
      // The service dimension that Powertools puts on every metric.
      dimensionsMap: { service: 'usher', ...(reason === undefined ? {} : { reason }) },
      statistic: Stats.SUM,
      period: Duration.minutes(5),
      ...rest,
    }).attachTo(this.#props.scope);
  }

  /** Denials of known callers by all rules together; they are counted by rule. */
  denied(options: DenialMetricOptions = {}): MathExpression {
    // Named for this facade, so that one graph can hold expressions of several.
    const byRule = DENYING_RULES.map((reason): [string, IMetric] => [
      `denied_${reason}_${this.#props.apiName}`.replaceAll(/\W/g, '_'),
      this.own('Denials', { reason, ...options }),
    ]);
    return new MathExpression({
      // Not METRICS(), which would be all metrics of the same graph or alarm.
      expression: byRule.map(([id]) => id).join(' + '),
      usingMetrics: Object.fromEntries(byRule),
      label: 'Denials',
      period: options.period ?? Duration.minutes(5),
    });
  }

  /**
   * Answers of 5xx, less those for which the function had no free concurrency: the gateway answers these with 500 too,
   * and they say nothing about a version.
   */
  serverErrorsNotThrottled(handler: IFunction, { period }: { period: Duration }): MathExpression {
    return new MathExpression({
      expression: 'errors - throttles',
      usingMetrics: {
        errors: this.api('5XXError', { period }),
        throttles: handler.metricThrottles({ period }),
      },
      label: '5xx without throttled requests',
      period,
    });
  }

  /** Runs of the reconciler that failed, and batches that it skipped, in five minutes. */
  reconcilerFailures(reconciler: IFunction): MathExpression {
    const period = Duration.minutes(5);
    return new MathExpression({
      expression: 'errors + failures',
      usingMetrics: {
        errors: reconciler.metricErrors({ period }),
        failures: this.own('ReconcilerFailures'),
      },
      label: 'Failed runs and skipped batches',
      period,
    });
  }

  /** A metric of the API's stage (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html). */
  api(metricName: '5XXError' | '4XXError' | 'Count' | 'Latency', options: MetricOptions = {}): Metric {
    const { apiName, stageName } = this.#props;
    return new Metric({
      namespace: 'AWS/ApiGateway',
      metricName,
      dimensionsMap: { ApiName: apiName, Stage: stageName },
      statistic: metricName === 'Latency' ? 'p99' : Stats.SUM,
      period: Duration.minutes(5),
      ...options,
    }).attachTo(this.#props.scope);
  }
}
