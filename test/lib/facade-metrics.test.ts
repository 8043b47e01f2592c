import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { Dashboard, GraphWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { functionSources, membersOf } from '../support/sources.ts';
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

/** All that the functions are made of, but for the list of metrics itself. */
const sources = functionSources().flatMap(({ file, text }) =>
  file === 'lambda/model/metrics.ts' ? [] : [text],
);

const metricNames = membersOf('lambda/model/metrics.ts', 'MetricName');
/** By which a request is denied; one rule judges Chime's answers, and only withholds. */
const rules = membersOf('lambda/model/rules.ts', 'Rule').filter((rule) => rule !== 'answer-requested-name');
/** Counted by reason, so that there is nothing to be seen of them without one. */
const BY_REASON = ['Denials', 'Unauthenticated', 'FailedRequests'];

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
    ]);
  });

  it.each(own)('is %s, which a function writes', (_name, { name, dimensions: { reason, ...dimensions } }) => {
    expect(metricNames).toContain(name);
    expect(sources.some((source) => new RegExp(`\\b${name}\\b`).test(source))).toBe(true);
    expect(dimensions).toEqual({ service: 'usher' });
    expect(reason !== undefined).toBe(BY_REASON.includes(name));
    if (reason !== undefined) {
      expect(sources.some((source) => source.includes(`'${reason}'`))).toBe(true);
    }
  });

  it('has the dimensions by which API Gateway, Lambda and DynamoDB tell things apart', () => {
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
      JSON.stringify({ FunctionName: named('Reconciler') }),
    ]);
    expect(dimensions('AWS/DynamoDB').sort()).toEqual([
      '{"TableName":"<AdmissionTable>"}',
      '{"TableName":"<AuditTable>"}',
      '{"TableName":"<OpenIntentTable>"}',
    ]);
  });

  it('has every metric that a function writes to its namespace in sight of somebody', () => {
    const seen = new Set(own.map(([, { name }]) => name));
    // Anonymous requests are anybody's, and are not a thing to act on.
    expect(metricNames.filter((name) => !seen.has(name))).toEqual(['Unauthenticated']);
  });
});

describe('denials', () => {
  const denied = theResource(template, 'AWS::CloudWatch::Alarm', 'AlarmsDenialsSurge');

  it('are those by every rule of the policy that denies', () => {
    const reasons = metricsOfAlarm(denied).map(({ dimensions }) => dimensions['reason']);
    expect(reasons.toSorted()).toEqual(rules.toSorted());
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
      2 * rules.length,
    );
  });
});
