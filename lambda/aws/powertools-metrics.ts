import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { AddMetrics, MetricName } from '../model/metrics.ts';

const IN_SECONDS: readonly MetricName[] = ['OldestOpenIntentAge'];

/**
 * Metrics as log lines in CloudWatch's embedded metric format, each written at once, so that none waits for a flush in
 * a process that is frozen or killed meanwhile. Namespace and service come from the environment.
 */
export function createMetrics(): AddMetrics {
  const metrics = new Metrics();
  return (values, reason) => {
    if (reason !== undefined) metrics.addDimension('reason', reason);
    for (const [name, value] of Object.entries(values)) {
      const unit = IN_SECONDS.includes(name as MetricName) ? MetricUnit.Seconds : MetricUnit.Count;
      metrics.addMetric(name, unit, value);
    }
    metrics.publishStoredMetrics();
  };
}
