import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import {
  addFacade,
  createForeignStack,
  fullProduction,
  issuer,
  resourcesOf,
  synthesize,
} from '../support/synthesize.ts';

/** A shipped configuration; the issuer that runs on one machine has no address before it is started. */
function readConfig(file: string): object {
  const config = JSON.parse(readFileSync(path.join('config', file), 'utf8'));
  const isLocal = config.issuers?.some((entry: { issuer: string }) => entry.issuer === 'local');
  return isLocal ? { ...config, issuers: [issuer] } : config;
}

function facadeAlone(props: object = {}): Template {
  const stack = createForeignStack({ env: { region: 'eu-central-1', account: '123456789012' } });
  addFacade(stack, props);
  return Template.fromStack(stack);
}

const {
  alarms: _,
  domain: __,
  encryptionKeyArn: ___,
  region: ____,
  account: _____,
  ...rest
} = fullProduction;

const templates: [string, Template][] = [
  ...readdirSync('config')
    .filter((file) => file.endsWith('.json'))
    .map((file): [string, Template] => [`config/${file}`, synthesize(readConfig(file))]),
  ['all that a configuration can ask for', synthesize(fullProduction)],
  ['the construct on its own', facadeAlone()],
  ['the construct on its own with all there is', facadeAlone(rest)],
];

describe('the templates', () => {
  it('are those of the shipped configurations, and of the construct', () => {
    expect(templates.map(([name]) => name)).toEqual(
      expect.arrayContaining(['config/dev.json', 'config/example-production.json', 'config/local.json']),
    );
  });

  // CloudFormation's GetTemplate turns all other characters into question marks.
  it.each(templates)('hold ASCII only: %s', (_name, template) => {
    expect(JSON.stringify(template.toJSON()).match(/[^\x20-\x7e]/g) ?? []).toEqual([]);
  });

  it.each(templates)('import no API definition: %s', (_name, template) => {
    const [api, ...others] = resourcesOf(template, 'AWS::ApiGateway::RestApi');
    expect(others).toEqual([]);
    expect(Object.keys(api?.Properties ?? {})).not.toContain('Body');
    expect(Object.keys(api?.Properties ?? {})).not.toContain('BodyS3Location');
    expect(resourcesOf(template, 'AWS::ApiGateway::Method').length).toBeGreaterThan(0);
  });
});
