import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { AttendeeFacade } from '../../lib/attendee-facade.ts';
import {
  addFacade,
  createForeignStack,
  flat,
  type Resource,
  resourcesOf,
  theResource,
} from '../support/synthesize.ts';

const page = readFileSync('docs/escape-hatches.md', 'utf8');
const require = createRequire(import.meta.url);

/** Runs the block under a heading of the page in an app. */
function templateWith(heading: string): Template {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [, block] = /```ts\n(.*?)```/s.exec(section) ?? [];
  if (block === undefined) throw new Error(`The page has no block under "${heading}".`);
  const body = block.replaceAll(/^import \{ (.*) \} from '(.*)';$/gm, "const { $1 } = require('$2');");
  const run = new Function('require', 'stack', 'facade', `'use strict';\n${body}`) as (
    load: NodeJS.Require,
    stack: Stack,
    facade: AttendeeFacade,
  ) => void;
  const stack = createForeignStack({ env: { region: 'eu-central-1', account: '123456789012' } });
  run(require, stack, addFacade(stack, { logs: { access: true } }));
  return Template.fromStack(stack);
}

const functionsOf = (template: Template): Resource[] =>
  resourcesOf(template, 'AWS::Lambda::Function', 'Facade');

/** The roles of the facade's functions, as a policy of the app names them. */
const rolesOf = (template: Template): unknown[] =>
  functionsOf(template).map(({ Properties }) => ({
    Ref: (Properties['Role'] as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0],
  }));

describe('docs/escape-hatches.md', () => {
  it('encrypts every log group with a key that CloudWatch Logs may use', () => {
    const template = templateWith('A key of your own for the logs');
    const key = theResource(template, 'AWS::KMS::Key');
    const groups = resourcesOf(template, 'AWS::Logs::LogGroup');
    expect(groups).toHaveLength(5);
    for (const { Properties } of groups) expect(flat(Properties['KmsKeyId'])).toBe(`<${key.id}.Arn>`);
    expect(JSON.stringify(key.Properties['KeyPolicy'])).toContain('logs.eu-central-1.amazonaws.com');
  });

  it('traces the API and every function, whose roles may write traces', () => {
    const template = templateWith('Tracing');
    for (const { Properties } of functionsOf(template)) {
      expect(Properties['TracingConfig']).toEqual({ Mode: 'Active' });
    }
    expect(theResource(template, 'AWS::ApiGateway::Stage').Properties['TracingEnabled']).toBe(true);
    const { Properties } = theResource(template, 'AWS::IAM::ManagedPolicy');
    expect(Properties['Roles']).toEqual(rolesOf(template));
  });

  it('puts every function into a VPC, once they may create network interfaces', () => {
    const template = templateWith('A VPC');
    const policy = theResource(template, 'AWS::IAM::ManagedPolicy');
    expect(policy.Properties['Roles']).toEqual(rolesOf(template));
    const group = theResource(template, 'AWS::EC2::SecurityGroup').id;
    const functions = functionsOf(template);
    expect(functions).toHaveLength(4);
    for (const { Properties, ...resource } of functions) {
      expect(Properties['VpcConfig']).toMatchObject({
        SubnetIds: [expect.anything(), expect.anything()],
        SecurityGroupIds: [{ 'Fn::GetAtt': [group, 'GroupId'] }],
      });
      expect((resource as { DependsOn?: string[] }).DependsOn).toContain(policy.id);
    }
  });
});
