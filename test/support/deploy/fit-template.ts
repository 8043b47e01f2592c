import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}

interface MetricQuery {
  MetricStat?: { Metric: Record<string, unknown>; Period: number; Stat: string };
}

/**
 * Fits a template to what the emulator of AWS lacks. Nothing else may be changed here: what is deployed is the template.
 *
 * @param text the template, JSON
 * @param emulatorUrl without a trailing slash
 */
function fitTemplate(text: string, emulatorUrl: string): string {
  const template: Template = JSON.parse(text);
  for (const [logicalId, { Type, Properties }] of Object.entries(template.Resources)) {
    if (Type === 'AWS::CloudWatch::Alarm') watchOneMetric(Properties);
    if (Type === 'AWS::IAM::Policy') allowStatements(Properties);
    // It has firewalls, but does not put them before anything.
    if (Type === 'AWS::WAFv2::WebACLAssociation') delete template.Resources[logicalId];
  }
  return serveKeys(JSON.stringify(template), emulatorUrl);
}

/** Its alarms know no metric math: the first of the metrics stands for all of them. */
function watchOneMetric(alarm: Record<string, unknown>): void {
  const queries = alarm['Metrics'] as MetricQuery[] | undefined;
  const found = queries?.find(({ MetricStat }) => MetricStat !== undefined)?.MetricStat;
  if (found === undefined) return;
  delete alarm['Metrics'];
  Object.assign(alarm, found.Metric, { Period: found.Period, Statistic: found.Stat });
}

/**
 * Where AWS asks for `dynamodb:PartiQLInsert` on the table, it asks for an action of the name of the call, on no table: a
 * function that may insert may send it any statement here.
 */
function allowStatements(policy: Record<string, unknown>): void {
  const { Statement: statements } = policy['PolicyDocument'] as {
    Statement: { Action: string | string[] }[];
  };
  if (!statements.some(({ Action }) => [Action].flat().includes('dynamodb:PartiQLInsert'))) return;
  const any = { Effect: 'Allow', Action: 'dynamodb:ExecuteStatement', Resource: '*' };
  statements.push(any);
}

/** It is not at AWS's address that it serves the keys of user pools. */
function serveKeys(text: string, emulatorUrl: string): string {
  return text.replaceAll(
    /https:\/\/",\{"Fn::GetAtt":\["(\w+)","ProviderName"\]\},"\/\.well-known\//g,
    `${emulatorUrl}/",{"Ref":"$1"},"/.well-known/`,
  );
}

// The second half of the CDK app, which leaves the template in this directory.
const { CDK_OUTDIR = '', AWS_ENDPOINT_URL = '' } = process.env;
for (const file of readdirSync(CDK_OUTDIR).filter((name) => name.endsWith('.template.json'))) {
  const templateFile = path.join(CDK_OUTDIR, file);
  writeFileSync(templateFile, fitTemplate(readFileSync(templateFile, 'utf8'), AWS_ENDPOINT_URL));
}
