import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { issuer, resourcesOf, synthesize } from '../../support/synthesize.ts';

const configurations = readdirSync('config').filter((file) => file.endsWith('.json'));

/** What an account refuses that is as AWS hands it out (docs/first-deployment.md). */
function problemsInNewAccount(config: object): string[] {
  const template = synthesize(config);
  const has = (type: string, property: string) =>
    resourcesOf(template, type).some(({ Properties }) => property in Properties);
  const problems = {
    'reserves concurrency': has('AWS::Lambda::Function', 'ReservedConcurrentExecutions'),
    'provisions concurrency': has('AWS::Lambda::Alias', 'ProvisionedConcurrencyConfig'),
    'logs access without a role of the account':
      has('AWS::ApiGateway::Stage', 'AccessLogSetting') &&
      resourcesOf(template, 'AWS::ApiGateway::Account').length === 0,
  };
  return Object.entries(problems)
    .filter(([, is]) => is)
    .map(([problem]) => problem);
}

it.each(configurations)('needs nothing that a new account refuses: config/%s', (file) => {
  const config = JSON.parse(readFileSync(`config/${file}`, 'utf8'));
  const isLocal = config.issuers?.some((entry: { issuer: string }) => entry.issuer === 'local');
  expect(problemsInNewAccount(isLocal ? { ...config, issuers: [issuer] } : config)).toEqual([]);
});

it('reports what a new account refuses', () => {
  expect(
    problemsInNewAccount({
      stackName: 'usher',
      logs: { access: true },
      limits: { reservedConcurrency: 20, provisionedConcurrency: 2 },
    }),
  ).toEqual(['reserves concurrency', 'provisions concurrency', 'logs access without a role of the account']);
});
