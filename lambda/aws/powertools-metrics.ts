import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { AddMetrics, MetricName } from '../model/metrics.ts';

const IN_SECONDS: readonly MetricName[] = ['OldestOpenIntentAge'];

/**
 * Metrics as log lines in CloudWatch's embedded metric format. Each is written at once: a pending flush would be lost
 * if the process is frozen or killed. Namespace and service come from the environment.
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
