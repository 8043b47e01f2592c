import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { PRICES } from '../../bench/prices.ts';
import { LOG_EVENTS, RECONCILER_STEPS } from '../../lambda/model/log-events.ts';
import { METRIC_NAMES } from '../../lambda/model/metrics.ts';
import { REASONS_BY_METRIC } from '../../lambda/model/reasons.ts';
import { synthesize, theResource } from '../support/synthesize.ts';
import { alarmsOf, metricsOfAlarm } from '../support/watched-metrics.ts';

const template = synthesize();
const cost = readFileSync('docs/cost.md', 'utf8');
const runbook = readFileSync('docs/runbook.md', 'utf8');

/** The cells of the tables under a heading, without their heads. */
function rowsUnder(text: string, heading: string): string[][] {
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => /^\|(?! ---)/.test(line));
  if (rows.length === 0) throw new Error(`There is no table under "${heading}".`);
  return rows.slice(1).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** The words in the marks of code. */
const code = (text = ''): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word ?? '');

/** Dollars as the page writes them: none with one digit behind the point. */
const dollars = (amount: number): string =>
  /\.\d$/.test(`${amount}`) ? amount.toFixed(2) : `${Number(amount.toFixed(10))}`;

const metricRows = rowsUnder(runbook, 'Every metric');

/** The reasons by which the runbook says that a metric is counted. */
function reasonsOf(metric: string): string[] {
  return code(metricRows.find(([names]) => names === `\`${metric}\``)?.[2]);
}

describe('docs/cost.md', () => {
  it('gives the prices that its tables are computed with', () => {
    const p = Object.fromEntries(Object.entries(PRICES).map(([name, price]) => [name, dollars(price)]));
    expect(rowsUnder(cost, 'Where the prices are from').map(([price]) => price)).toEqual([
      `REST API, ${p['gatewayMillionRequests']} a million (first 333 million)`,
      `Lambda on Arm, ${p['lambdaGbSecond']} a GB-second, ${p['lambdaMillionRequests']} a million requests`,
      `DynamoDB on demand, ${p['dynamodbMillionWrites']} a million write units, ${p['dynamodbMillionReads']} a million read units`,
      `DynamoDB storage, ${p['dynamodbGbMonth']} a GB and month`,
      `DynamoDB point-in-time recovery, ${p['recoveryGbMonth']} a GB and month`,
      `WAF, ${p['firewallMonth']} for a web ACL, ${p['firewallRuleMonth']} for a rule or rule group, ${p['firewallMillionRequests']} a million requests`,
      `CloudWatch Logs, ${p['logsGb']} a GB`,
      `CloudWatch metrics, ${p['metricMonth']}`,
      `CloudWatch alarms, ${p['alarmMetricMonth']} for each metric`,
      `CloudWatch dashboard, ${p['dashboardMonth']}`,
      `KMS, ${p['kmsKeyMonth']} for a key, ${p['kmsTenThousandRequests']} for ten thousand requests, of \`aws/dynamodb\` too`,
      `Cognito, ${p['cognitoClientMonth']} for a machine client, ${dollars(PRICES.cognitoToken * 1000)} for a thousand tokens`,
      `transfer out, ${p['transferGb']} a GB`,
      `S3, ${p['s3GbMonth']} a GB and month, ${p['s3ThousandWrites']} for a thousand PUT or LIST, ${p['s3ThousandReads']} for a thousand GET`,
    ]);
  });

  it('counts the alarms, their metrics and the rules of the firewall that the stack has', () => {
    // The two of the seals are in production alone.
    const alarms = alarmsOf(synthesize({ production: false }));
    const ofSeals = alarmsOf(template).length - alarms.length;
    const metrics = alarms.flatMap(metricsOfAlarm).length;
    const { Rules: rules } = theResource(template, 'AWS::WAFv2::WebACL').Properties as { Rules: unknown[] };
    expect([alarms.length, ofSeals, rules.length]).toEqual([12, 2, 4]);
    const sealMetrics = METRIC_NAMES.filter((name) => /Seal|Unsealed/.test(name)).length;
    const month = new Map(rowsUnder(cost, 'A month without a request').map(([what, sum]) => [what, sum]));
    expect(month.get(`twelve alarms, on ${metrics} metrics`)).toBe(
      (metrics * PRICES.alarmMetricMonth).toFixed(2),
    );
    expect(month.get('its four metrics, and two alarms on two of them')).toBe(
      (sealMetrics * PRICES.metricMonth + ofSeals * PRICES.alarmMetricMonth).toFixed(2),
    );
    expect(month.get('firewall, one web ACL of four rules')).toBe(
      dollars(PRICES.firewallMonth + rules.length * PRICES.firewallRuleMonth),
    );
  });

  it('counts the reasons that the runbook lists', () => {
    const [denials, unauthenticated, failed] = ['Denials', 'Unauthenticated', 'FailedRequests'].map(
      (metric) => reasonsOf(metric).length,
    ) as [number, number, number];
    const most = ((denials + unauthenticated + failed) * PRICES.metricMonth).toFixed(2);
    expect(cost.replaceAll(/\s+/g, ' ')).toContain(
      `at most ${denials} of \`Denials\`, ${unauthenticated} of \`Unauthenticated\` and ${failed} of \`FailedRequests\` ([the list](runbook.md#every-metric)): $${most} if`,
    );
  });
});

describe('docs/runbook.md', () => {
  it('lists every metric, with its dimensions', () => {
    const listed = metricRows.flatMap(([names, dimensions]) =>
      code(names).map((name) => `${name} by ${dimensions}`),
    );
    expect(listed.toSorted()).toEqual(
      METRIC_NAMES.map(
        (name) => `${name} by service${name in REASONS_BY_METRIC ? ', reason' : ''}`,
      ).toSorted(),
    );
  });

  it.each(Object.entries(REASONS_BY_METRIC))('lists every reason of %s, and no other', (metric, reasons) => {
    expect(reasonsOf(metric).toSorted()).toEqual(reasons.toSorted());
  });

  it('explains exactly the existing reasons', () => {
    const explained = rowsUnder(runbook, 'server-errors').flatMap(([reason]) => code(reason));
    const known = reasonsOf('FailedRequests');
    expect(explained.length).toBeGreaterThan(5);
    expect(explained.filter((reason) => !known.includes(reason))).toEqual([]);
  });

  it('says what the failure of each step of the reconciler means', () => {
    const explained = rowsUnder(runbook, 'reconciler-failing').flatMap(([step]) => code(step));
    expect(explained.toSorted()).toEqual([...RECONCILER_STEPS].toSorted());
  });

  it('knows the messages of the logs', () => {
    const listed = (group: string) =>
      rowsUnder(runbook, 'Before you begin').flatMap(([of, message = '']) =>
        of === group ? code(message.replace(/\(.*\)/, '')) : [],
      );
    for (const [group, events] of Object.entries(LOG_EVENTS)) {
      expect(listed(group).toSorted()).toEqual(events.toSorted());
    }
  });
});
