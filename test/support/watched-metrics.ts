import type { Template } from 'aws-cdk-lib/assertions';
import { flat, type Resource, resourcesOf, theResource } from './synthesize.ts';

/** A metric that an alarm or the dashboard looks at. */
export interface WatchedMetric {
  namespace: string;
  name: string;
  dimensions: Record<string, string>;
}

/** The metrics of one alarm; of an expression's, those that it is made of. */
export function metricsOfAlarm({ Properties }: Resource): WatchedMetric[] {
  const metrics = Properties['Metrics'] as { MetricStat?: { Metric: AlarmMetric } }[] | undefined;
  if (metrics === undefined) return [ofAlarm(Properties as unknown as AlarmMetric)];
  return metrics.flatMap(({ MetricStat }) => (MetricStat === undefined ? [] : [ofAlarm(MetricStat.Metric)]));
}

/**
 * All that an alarm watches, a line for each metric, `namespace name dimensions: statistic of period`, and one for an
 * expression. What only serves an expression has its id before it.
 */
export function metricLinesOf({ Properties }: Resource): string[] {
  const line = (metric: AlarmMetric, statistic: unknown, period: unknown) =>
    lineOf(ofAlarm(metric), statistic, period);
  const { Metrics, Statistic, ExtendedStatistic, Period } = Properties;
  if (Metrics === undefined) {
    return [line(Properties as unknown as AlarmMetric, Statistic ?? ExtendedStatistic, Period)];
  }
  return (Metrics as MetricQuery[]).map(({ Id, Expression, MetricStat, ReturnData }) => {
    const what =
      MetricStat === undefined ? Expression : line(MetricStat.Metric, MetricStat.Stat, MetricStat.Period);
    return ReturnData === false ? `${Id} = ${what}` : String(what);
  });
}

function lineOf({ namespace, name, dimensions }: WatchedMetric, statistic: unknown, period: unknown): string {
  const of = Object.entries(dimensions).map(([dimension, value]) => `${dimension}=${value}`);
  return `${[namespace, name, ...of].join(' ')}: ${statistic} of ${period} s`;
}

interface MetricQuery {
  Id: string;
  Expression?: string;
  MetricStat?: { Metric: AlarmMetric; Stat: string; Period: number };
  ReturnData?: boolean;
}

export function alarmsOf(template: Template, idPrefix?: string): Resource[] {
  return resourcesOf(template, 'AWS::CloudWatch::Alarm', idPrefix);
}

interface AlarmMetric {
  Namespace: string;
  MetricName: string;
  Dimensions?: { Name: string; Value: unknown }[];
}

function ofAlarm({ Namespace, MetricName, Dimensions = [] }: AlarmMetric): WatchedMetric {
  return {
    namespace: Namespace,
    name: MetricName,
    dimensions: Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, flat(Value)])),
  };
}

export interface Widget {
  type: string;
  properties: { title: string; alarms?: string[]; metrics?: unknown[][] };
}

/** The widgets of a dashboard, with references as their ids. */
export function widgetsOf(template: Template, idPrefix?: string): Widget[] {
  const { Properties } = theResource(template, 'AWS::CloudWatch::Dashboard', idPrefix);
  return JSON.parse(flat(Properties['DashboardBody'])).widgets;
}

/**
 * The metrics of a widget, as a dashboard's body has them: namespace, name, dimensions by name and value, options
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html).
 */
export function metricsOfWidget({ properties: { metrics = [] } }: Widget): WatchedMetric[] {
  return metrics.flatMap((metric) => {
    const [namespace, name, ...rest] = metric.filter((part): part is string => typeof part === 'string');
    if (namespace === undefined || name === undefined) return [];
    const dimensions: Record<string, string> = {};
    for (let at = 0; at < rest.length; at += 2) dimensions[rest[at] as string] = rest[at + 1] as string;
    return [{ namespace, name, dimensions }];
  });
}

interface WidgetOptions {
  stat?: string;
  period?: number;
  label?: string;
  expression?: string;
  visible?: boolean;
}

/** What a widget draws, a line for each metric or expression, its label behind it; 300 s is a dashboard's own period. */
export function shownBy(widget: Widget): string[] {
  const { metrics = [] } = widget.properties;
  return metrics.flatMap((metric) => {
    const { stat, period = 300, label, expression, visible } = (metric.at(-1) ?? {}) as WidgetOptions;
    if (visible === false) return [];
    const [drawn] = metricsOfWidget({ ...widget, properties: { ...widget.properties, metrics: [metric] } });
    const what = drawn === undefined ? String(expression) : lineOf(drawn, stat, period);
    return [label === undefined ? what : `${what}, "${label}"`];
  });
}
