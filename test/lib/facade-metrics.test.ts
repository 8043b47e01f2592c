import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { Dashboard, GraphWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { METRIC_NAMES } from '../../lambda/model/metrics.ts';
import { DENYING_RULES, REASONS_BY_METRIC } from '../../lambda/model/reasons.ts';
import { addFacade, createForeignStack, synthesize, theResource } from '../support/synthesize.ts';
import {
  alarmsOf,
  metricsOfAlarm,
  metricsOfWidget,
  type WatchedMetric,
  widgetsOf,
} from '../support/watched-metrics.ts';

const NAMESPACE = 'Usher/usher-test';
const template = synthesize();

const watched: [string, WatchedMetric][] = [
  ...alarmsOf(template).flatMap((alarm) =>
    metricsOfAlarm(alarm).map((metric) => [alarm.id, metric] as const),
  ),
  ...widgetsOf(template).flatMap((widget) =>
    metricsOfWidget(widget).map((metric) => [widget.properties.title, metric] as const),
  ),
].map(([where, metric]) => [`${metric.name} ${metric.dimensions['reason'] ?? ''} (${where})`, metric]);
const own = watched.filter(([, { namespace }]) => namespace === NAMESPACE);
const foreign = watched.filter(([, { namespace }]) => namespace !== NAMESPACE);

describe('what alarms and dashboard look at', () => {
  it('has metrics of the functions and of AWS', () => {
    expect(own.length).toBeGreaterThan(10);
    expect([...new Set(foreign.map(([, { namespace }]) => namespace))].sort()).toEqual([
      'AWS/ApiGateway',
      'AWS/DynamoDB',
      'AWS/Lambda',
      'AWS/SQS',
    ]);
  });

  it.each(own)('is %s, which a function writes', (_name, { name, dimensions: { reason, ...dimensions } }) => {
    expect(METRIC_NAMES).toContain(name);
    expect(dimensions).toEqual({ service: 'usher' });
    // Counted by reason, so that there is nothing to be seen of them without one.
    const reasons: readonly string[] | undefined = (REASONS_BY_METRIC as Record<string, readonly string[]>)[
      name
    ];
    if (reasons === undefined) expect(reason).toBeUndefined();
    else expect(reasons).toContain(reason);
  });

  it('has the dimensions of API Gateway, Lambda and DynamoDB', () => {
    const dimensions = (namespace: string) => [
      ...new Set(
        foreign
          .filter(([, metric]) => metric.namespace === namespace)
          .map(([, metric]) => JSON.stringify(metric.dimensions)),
      ),
    ];
    const named = (name: string) => `<${theResource(template, 'AWS::Lambda::Function', name).id}>`;
    expect(dimensions('AWS/ApiGateway')).toEqual(['{"ApiName":"usher-test","Stage":"v1"}']);
    expect(dimensions('AWS/Lambda').sort()).toEqual([
      JSON.stringify({ FunctionName: named('Attendees') }),
      JSON.stringify({ FunctionName: named('Observer') }),
      JSON.stringify({ FunctionName: named('Reconciler') }),
      JSON.stringify({ FunctionName: named('Sealer') }),
    ]);
    expect(dimensions('AWS/DynamoDB').sort()).toEqual([
      '{"TableName":"<AdmissionTable>"}',
      '{"TableName":"<AuditTable>"}',
      '{"TableName":"<OpenIntentTable>"}',
    ]);
  });

  it('shows every metric of a function in an alarm or a graph', () => {
    const seen = new Set(own.map(([, { name }]) => name));
    // Anonymous requests come from anyone, and need no action.
    expect(METRIC_NAMES.filter((name) => !seen.has(name))).toEqual(['Unauthenticated']);
  });
});

describe('denials', () => {
  const denied = theResource(template, 'AWS::CloudWatch::Alarm', 'AlarmsDenialsSurge');

  it('are those by every rule of the policy that denies', () => {
    const reasons = metricsOfAlarm(denied).map(({ dimensions }) => dimensions['reason']);
    expect(reasons.toSorted()).toEqual(DENYING_RULES.toSorted());
  });

  it('are added up, each once, whatever else is in the same graph', () => {
    const metrics = denied.Properties['Metrics'] as { Id: string; Expression?: string }[];
    const [sum] = metrics.filter(({ Expression }) => Expression !== undefined);
    const ids = metrics.filter(({ Expression }) => Expression === undefined).map(({ Id }) => Id);
    expect(sum?.Expression).toBe(ids.join(' + '));
    expect(ids.every((id) => /^[a-z][A-Za-z0-9_]*$/.test(id))).toBe(true);
  });

  it('of two facades can stand in one graph', () => {
    const stack = createForeignStack();
    const denials = ['One', 'Two'].map((id) => addFacade(stack, {}, id).metricDenied());
    new Dashboard(stack, 'Both', { widgets: [[new GraphWidget({ left: denials })]] });
    expect(metricsOfWidget(widgetsOf(Template.fromStack(stack), 'Both')[0] as never)).toHaveLength(
      2 * DENYING_RULES.length,
    );
  });
});
