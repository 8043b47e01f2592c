import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { fullProduction, synthesize, theResource } from './synthesize.ts';
import { alarmsOf } from './watched-metrics.ts';

const TOPIC = fullProduction.alarms.topicArn;
const template = synthesize({ alarms: { topicArn: TOPIC } });
const alarms = alarmsOf(template);

const SECTIONS = {
  ServerErrors: 'server-errors',
  FunctionFailing: 'function-failing',
  Latency: 'latency',
  ChimeThrottling: 'chime-throttling',
  DenialsSurge: 'denials-surge',
  OpenTooLong: 'open-too-long',
  Unresolved: 'unresolved',
  ReconcilerFailing: 'reconciler-failing',
};
const propertiesOf = (name: string, from = template) =>
  theResource(from, 'AWS::CloudWatch::Alarm', `Alarms${name}`).Properties;

describe('the alarms', () => {
  it('are these, and no other', () => {
    const known = Object.keys(SECTIONS).map(
      (name) => theResource(template, 'AWS::CloudWatch::Alarm', `Alarms${name}`).id,
    );
    expect(alarms.map(({ id }) => id).toSorted()).toEqual(known.toSorted());
  });

  it.each(Object.entries(SECTIONS))(
    'link %s to the section %s of the runbook, which there is',
    (name, section) => {
      expect(propertiesOf(name)['AlarmDescription']).toMatch(
        new RegExp(` What to do: docs/runbook\\.md#${section}$`),
      );
      const withoutCode = readFileSync('docs/runbook.md', 'utf8').replace(/^```.*?^```/gms, '');
      const headings = [...withoutCode.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading);
      // The anchor that GitHub makes of a heading.
      const anchors = headings.map((heading = '') =>
        heading
          .toLowerCase()
          .replace(/[^\p{L}\p{N}_ -]/gu, '')
          .replaceAll(' ', '-'),
      );
      expect(anchors).toContain(section);
    },
  );

  it('link to the runbook where it was put', () => {
    const elsewhere = synthesize({ alarms: { runbookUrl: 'https://wiki.example.com/usher' } });
    for (const { Properties } of alarmsOf(elsewhere)) {
      expect(Properties['AlarmDescription']).toContain(' What to do: https://wiki.example.com/usher#');
    }
  });

  it.each(alarms.map(({ id, Properties }) => [id, Properties] as const))(
    'tell the topic of the beginning and of the end of %s',
    (_id, properties) => {
      expect(properties).toMatchObject({ AlarmActions: [TOPIC], OKActions: [TOPIC] });
    },
  );

  it('tell nobody where no topic is given', () => {
    for (const { Properties } of alarmsOf(synthesize())) {
      expect(Properties['AlarmActions']).toBeUndefined();
      expect(Properties['OKActions']).toBeUndefined();
    }
  });

  it('take silence for health, but for the reconciler, which reports every minute', () => {
    const breaching = alarms.filter(({ Properties }) => Properties['TreatMissingData'] !== 'notBreaching');
    expect(
      breaching.map(({ Properties }) => [Properties['MetricName'], Properties['TreatMissingData']]),
    ).toEqual([['OldestOpenIntentAge', 'breaching']]);
  });

  it('have no more metrics in an expression than an alarm may have', () => {
    for (const { Properties } of alarms) {
      const metrics = (Properties['Metrics'] ?? []) as { MetricStat?: object }[];
      expect(metrics.filter(({ MetricStat }) => MetricStat !== undefined).length).toBeLessThanOrEqual(10);
    }
  });

  it.each<[keyof typeof SECTIONS, object]>([
    [
      'ServerErrors',
      {
        Namespace: 'AWS/ApiGateway',
        MetricName: '5XXError',
        Statistic: 'Sum',
        Period: 60,
        Threshold: 3,
        EvaluationPeriods: 3,
        DatapointsToAlarm: 2,
      },
    ],
    ['FunctionFailing', { Namespace: 'AWS/Lambda', MetricName: 'Errors', Statistic: 'Sum', Threshold: 1 }],
    ['Latency', { MetricName: 'Latency', ExtendedStatistic: 'p99', Threshold: 5000, EvaluationPeriods: 3 }],
    ['ChimeThrottling', { MetricName: 'Refusals', Statistic: 'Sum', Period: 300, Threshold: 10 }],
    ['DenialsSurge', { Threshold: 100, EvaluationPeriods: 1 }],
    [
      'OpenTooLong',
      {
        Namespace: 'Usher/usher-test',
        MetricName: 'OldestOpenIntentAge',
        Statistic: 'Maximum',
        Threshold: 900,
        ComparisonOperator: 'GreaterThanThreshold',
      },
    ],
    [
      'Unresolved',
      {
        Namespace: 'Usher/usher-test',
        MetricName: 'IntentsUnresolved',
        Statistic: 'Sum',
        Threshold: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      },
    ],
    ['ReconcilerFailing', { Threshold: 1, EvaluationPeriods: 3 }],
  ])('watch for %s', (name, expected) => {
    expect(propertiesOf(name)).toMatchObject(expected);
  });

  it('go by the thresholds that are set', () => {
    const set = synthesize({
      alarms: { serverErrorsPerMinute: 9, denialsPerFiveMinutes: 7, latencyMs: 1234 },
    });
    expect(propertiesOf('ServerErrors', set)['Threshold']).toBe(9);
    expect(propertiesOf('DenialsSurge', set)['Threshold']).toBe(7);
    expect(propertiesOf('Latency', set)['Threshold']).toBe(1234);
  });
});
