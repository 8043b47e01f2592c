import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { fullProduction, synthesize, theResource } from '../support/synthesize.ts';
import { alarmsOf, metricLinesOf } from '../support/watched-metrics.ts';

const TOPIC = fullProduction.alarms.topicArn;
const template = synthesize({ alarms: { topicArn: TOPIC, attendeesWithoutRecord: 1 } });
const alarms = alarmsOf(template);

const SECTIONS = {
  ServerErrors: 'server-errors',
  FunctionFailing: 'function-failing',
  FunctionThrottled: 'function-throttled',
  Latency: 'latency',
  ChimeThrottling: 'chime-throttling',
  DenialsSurge: 'denials-surge',
  AboveCeilingSurge: 'above-ceiling-surge',
  OpenTooLong: 'open-too-long',
  Unresolved: 'unresolved',
  FoundLate: 'found-late',
  ReconcilerFailing: 'reconciler-failing',
  EventsNotRecorded: 'events-not-recorded',
  WithoutRecord: 'present-without-a-record',
  HoursUnsealed: 'hours-unsealed',
  SealsBroken: 'seals-broken',
};
const propertiesOf = (name: string, from = template) =>
  theResource(from, 'AWS::CloudWatch::Alarm', `Alarms${name}`).Properties;

const [HANDLER, RECONCILER] = ['Attendees', 'Reconciler'].map(
  (name) => `<${theResource(template, 'AWS::Lambda::Function', name).id}>`,
);
const RULES = [
  'scope',
  'tenant-claim',
  'meetings-claim',
  'self-one-attendee',
  'self-own-name',
  'name-prefix',
  'capability-ceiling',
  'meeting-tenant',
];
const denied = (rule: string) => `denied_${rule.replaceAll('-', '_')}_usher_test`;

/** What `metricLinesOf` returns. */
const METRIC_PROPERTIES = [
  'Metrics',
  'Namespace',
  'MetricName',
  'Dimensions',
  'Statistic',
  'ExtendedStatistic',
  'Period',
];
const atLeast = (threshold: number, periods: object = {}) => ({
  ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  Threshold: threshold,
  EvaluationPeriods: 1,
  // Nothing is reported where nothing happens.
  TreatMissingData: 'notBreaching',
  ...periods,
});

/** The rows of the runbook's table of alarms, without the marks of code: name, when it goes off, section. */
const described = readFileSync('docs/runbook.md', 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, name, when, section] = /^\| `(\w+)` \| (.+?) \| \[([a-z-]+)\]\(#\3\) \|/.exec(line) ?? [];
    return name === undefined ? [] : [[name, when, section]];
  });

describe('the alarms', () => {
  it('are these, and no other', () => {
    const known = Object.keys(SECTIONS).map(
      (name) => theResource(template, 'AWS::CloudWatch::Alarm', `Alarms${name}`).id,
    );
    expect(alarms.map(({ id }) => id).toSorted()).toEqual(known.toSorted());
  });

  it.each(Object.entries(SECTIONS))('link %s to the existing section %s of the runbook', (name, section) => {
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
  });

  it('watch for attendees without a record only if configured', () => {
    expect(alarmsOf(synthesize(), 'AlarmsWithoutRecord')).toEqual([]);
    const off = synthesize({ events: { enabled: false } });
    expect(alarmsOf(off, 'AlarmsEventsNotRecorded')).toEqual([]);
  });

  it('have none for seals where none are made', () => {
    const ids = alarmsOf(synthesize({ production: false })).map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(10);
    expect(ids.filter((id) => /Seal|Unsealed/.test(id))).toEqual([]);
  });

  it('link to the runbook at its configured URL', () => {
    const elsewhere = synthesize({ alarms: { runbookUrl: 'https://wiki.example.com/usher' } });
    for (const { Properties } of alarmsOf(elsewhere)) {
      expect(Properties['AlarmDescription']).toContain(' What to do: https://wiki.example.com/usher#');
    }
  });

  it('notify no one without a topic', () => {
    for (const { Properties } of alarmsOf(synthesize())) {
      expect(Properties['AlarmActions']).toBeUndefined();
      expect(Properties['OKActions']).toBeUndefined();
    }
  });

  it('have no more metrics in an expression than an alarm may have', () => {
    for (const { Properties } of alarms) {
      const metrics = (Properties['Metrics'] ?? []) as { MetricStat?: object }[];
      expect(metrics.filter(({ MetricStat }) => MetricStat !== undefined).length).toBeLessThanOrEqual(10);
    }
  });

  it.each<[keyof typeof SECTIONS, string[], object]>([
    [
      'ServerErrors',
      [
        'errors - throttles',
        'errors = AWS/ApiGateway 5XXError ApiName=usher-test Stage=v1: Sum of 60 s',
        `throttles = AWS/Lambda Throttles FunctionName=${HANDLER}: Sum of 60 s`,
      ],
      atLeast(3, { EvaluationPeriods: 3, DatapointsToAlarm: 2 }),
    ],
    [
      'FunctionThrottled',
      [`AWS/Lambda Throttles FunctionName=${HANDLER}: Sum of 60 s`],
      atLeast(3, { EvaluationPeriods: 3, DatapointsToAlarm: 2 }),
    ],
    ['FunctionFailing', [`AWS/Lambda Errors FunctionName=${HANDLER}: Sum of 60 s`], atLeast(1)],
    [
      'Latency',
      ['AWS/ApiGateway Latency ApiName=usher-test Stage=v1: p99 of 300 s'],
      atLeast(5000, { EvaluationPeriods: 3 }),
    ],
    [
      'ChimeThrottling',
      ['Usher/usher-test FailedRequests reason=chime-throttled service=usher: Sum of 300 s'],
      atLeast(10),
    ],
    [
      'DenialsSurge',
      [
        RULES.map(denied).join(' + '),
        ...RULES.map(
          (rule) => `${denied(rule)} = Usher/usher-test Denials reason=${rule} service=usher: Sum of 300 s`,
        ),
      ],
      atLeast(100),
    ],
    [
      'OpenTooLong',
      ['Usher/usher-test OldestOpenIntentAge service=usher: Maximum of 300 s'],
      {
        ComparisonOperator: 'GreaterThanThreshold',
        Threshold: 900,
        EvaluationPeriods: 2,
        // Silence is a failure: the reconciler reports every minute.
        TreatMissingData: 'breaching',
      },
    ],
    ['Unresolved', ['Usher/usher-test IntentsUnresolved service=usher: Sum of 300 s'], atLeast(1)],
    ['FoundLate', ['Usher/usher-test IntentsFoundLate service=usher: Sum of 300 s'], atLeast(1)],
    [
      'ReconcilerFailing',
      [
        'errors + failures',
        `errors = AWS/Lambda Errors FunctionName=${RECONCILER}: Sum of 300 s`,
        'failures = Usher/usher-test ReconcilerFailures service=usher: Sum of 300 s',
      ],
      atLeast(1, { EvaluationPeriods: 3 }),
    ],
    [
      'EventsNotRecorded',
      [
        `AWS/SQS ApproximateNumberOfMessagesVisible QueueName=<${theResource(template, 'AWS::SQS::Queue').id}.QueueName>: Maximum of 300 s`,
      ],
      atLeast(1),
    ],
    ['WithoutRecord', ['Usher/usher-test AttendeesWithoutRecord service=usher: Sum of 300 s'], atLeast(1)],
    [
      'HoursUnsealed',
      ['Usher/usher-test HoursUnsealed service=usher: Maximum of 3600 s'],
      // Silence is a failure too: the sealer reports every hour.
      atLeast(1, { EvaluationPeriods: 3, TreatMissingData: 'breaching' }),
    ],
    ['SealsBroken', ['Usher/usher-test SealsBroken service=usher: Sum of 300 s'], atLeast(1)],
  ])(
    'watch for %s by exactly this, notify the topic at begin and end, and get their names from CloudFormation',
    (name, metrics, when) => {
      const others = Object.entries(propertiesOf(name)).filter(([key]) => !METRIC_PROPERTIES.includes(key));
      expect(metricLinesOf(theResource(template, 'AWS::CloudWatch::Alarm', `Alarms${name}`))).toEqual(
        metrics,
      );
      expect(Object.fromEntries(others)).toEqual({
        ...when,
        AlarmDescription: expect.any(String),
        AlarmActions: [TOPIC],
        OKActions: [TOPIC],
      });
    },
  );

  /** The value of an alarm's expression, missing values taken as CloudWatch documents it for basic arithmetic: as 0. */
  function valueAt(name: string, points: Record<string, number>): number {
    const [expression = ''] = metricLinesOf(theResource(template, 'AWS::CloudWatch::Alarm', `Alarms${name}`));
    const [first = '', ...rest] = expression.split(/ (?=[-+] )/);
    return rest.reduce(
      (sum, term) => sum + (term.startsWith('-') ? -1 : 1) * (points[term.slice(2)] ?? 0),
      points[first] ?? 0,
    );
  }

  it('use no operator but those whose treatment of missing data CloudWatch documents', () => {
    const expressions = alarms.flatMap(({ Properties }) =>
      ((Properties['Metrics'] ?? []) as { Expression?: string }[]).flatMap(
        ({ Expression }) => Expression ?? [],
      ),
    );
    expect(expressions).toHaveLength(3);
    for (const expression of expressions) expect(expression).toMatch(/^[a-z]\w*( [-+] [a-z]\w*)+$/);
  });

  it.each([
    ['a good version under throttling', { errors: 500, throttles: 500 }, false],
    ['more throttles than 5xx, where minutes do not line up', { errors: 480, throttles: 500 }, false],
    ['throttles alone', { throttles: 50 }, false],
    ['errors alone', { errors: 3 }, true],
    ['a bad version under throttling', { errors: 540, throttles: 500 }, true],
  ])('take %s for what it is', (_what, points, breaches) => {
    const threshold = propertiesOf('ServerErrors')['Threshold'] as number;
    expect(valueAt('ServerErrors', points) >= threshold).toBe(breaches);
  });

  it('never count throttled requests for a canary', () => {
    const canary = synthesize({ deployment: { canaryMinutes: 5 } });
    const { AlarmConfiguration } = theResource(canary, 'AWS::CodeDeploy::DeploymentGroup').Properties as {
      AlarmConfiguration: { Alarms: { Name: { Ref: string } }[] };
    };
    const lines = AlarmConfiguration.Alarms.map(({ Name }) =>
      metricLinesOf(theResource(canary, 'AWS::CloudWatch::Alarm', Name.Ref)),
    );
    expect(lines.map(([first]) => first)).toEqual([
      'errors - throttles',
      expect.stringMatching(/^AWS\/Lambda Errors /),
    ]);
  });

  it("are the runbook's, which says when each goes off", () => {
    const of = (name: string) => propertiesOf(name) as unknown as Record<string, number>;
    const minutes = (name: string, period = 300) => ((of(name)['EvaluationPeriods'] ?? 0) * period) / 60;
    const { Threshold: errors, DatapointsToAlarm: bad, EvaluationPeriods: all } = of('ServerErrors');
    const when: Record<keyof typeof SECTIONS, string> = {
      ServerErrors: `${errors} answers of 5xx a minute, throttled ones not counted, in ${bad} minutes of ${all}`,
      FunctionThrottled: `${of('FunctionThrottled')['Threshold']} requests a minute that find no free concurrency, in ${of('FunctionThrottled')['DatapointsToAlarm']} minutes of ${of('FunctionThrottled')['EvaluationPeriods']}`,
      FunctionFailing: 'one crash or time-out of the function in a minute',
      ChimeThrottling: `${of('ChimeThrottling')['Threshold']} requests refused by Chime's quota in ${minutes('ChimeThrottling')} minutes`,
      OpenTooLong: `a batch open for over ${Number(of('OpenTooLong')['Threshold']) / 60} minutes, or unknown for ${minutes('OpenTooLong')} minutes or more`,
      ReconcilerFailing: `a failure in each of ${['no', 'one', 'two', 'three'][minutes('ReconcilerFailing') / 5]} periods of 5 minutes`,
      Latency: `the slowest hundredth takes ${Number(of('Latency')['Threshold']) / 1000} s, for ${minutes('Latency')} minutes`,
      DenialsSurge: `${of('DenialsSurge')['Threshold']} denials in ${minutes('DenialsSurge')} minutes`,
      AboveCeilingSurge: `${of('AboveCeilingSurge')['Threshold']} attendees released above their ceiling in ${minutes('AboveCeilingSurge')} minutes`,
      Unresolved: 'any batch that ended as `UNRESOLVED`',
      FoundLate: 'any batch that is found more than an hour after it began',
      EventsNotRecorded: 'any event in the dead-letter queue',
      WithoutRecord: 'as many as `alarms.attendeesWithoutRecord` in a quarter hour; only where that is set',
      HoursUnsealed: `hours that are due and have no seal, or silence, for ${minutes('HoursUnsealed', 3600) / 60} hours`,
      SealsBroken: 'any seal of the last two days that is missing or is not what the next one says',
    };
    const expected = Object.entries(SECTIONS).map(([name, section]) => [
      name,
      when[name as keyof typeof SECTIONS],
      section,
    ]);
    expect(described.toSorted()).toEqual(expected.toSorted());
  });

  it('use the configured thresholds', () => {
    const set = synthesize({
      alarms: {
        serverErrorsPerMinute: 9,
        denialsPerFiveMinutes: 7,
        aboveCeilingPerFiveMinutes: 5,
        latencyMs: 1234,
        attendeesWithoutRecord: 6,
      },
    });
    expect(propertiesOf('ServerErrors', set)['Threshold']).toBe(9);
    expect(propertiesOf('FunctionThrottled', set)['Threshold']).toBe(9);
    expect(propertiesOf('DenialsSurge', set)['Threshold']).toBe(7);
    expect(propertiesOf('AboveCeilingSurge', set)['Threshold']).toBe(5);
    expect(propertiesOf('WithoutRecord', set)['Threshold']).toBe(6);
    expect(propertiesOf('Latency', set)['Threshold']).toBe(1234);
  });
});
