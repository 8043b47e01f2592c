import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { App, Stack, type StackProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AttendeeFacade } from '../../lib/attendee-facade.ts';
import type { AttendeeFacadeProps } from '../../lib/facade-props.ts';
import { parseConfig } from '../../lib/settings/complete.ts';
import { UsherStack } from '../../lib/usher-stack.ts';
import { createIssuerEntry } from './issuer-rules.ts';

/** The issuer of a deployment that brings its own. */
export const issuer = createIssuerEntry({
  scopes: { delegate: 'attendees.create', self: 'attendees.create.self' },
  tenantClaim: 'tenant',
});

const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';

/** A configuration that asks for all there is. */
export const fullProduction = {
  region: REGION,
  account: ACCOUNT,
  issuers: [issuer],
  encryptionKeyArn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
  domain: {
    name: 'meetings.example.com',
    certificateArn: `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/5678efab-56ef-78ab-90cd-567890abcdef`,
    hostedZone: { id: 'Z0123456789EXAMPLE', name: 'example.com' },
  },
  alarms: { topicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:on-call` },
  logs: { access: true, accountRole: true },
  limits: { reservedConcurrency: 20, provisionedConcurrency: 2 },
  deployment: { canaryMinutes: 5 },
};

// CDK takes a stack trace of every construct, of the 100 frames that jest asks for: a fifth of a synthesis.
Error.stackTraceLimit = 10;

const folder = mkdtempSync(join(tmpdir(), 'usher-stack-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Nearly empty files that stand for the functions' bundles; not the same ones, or CDK would take them for one asset. */
const bundlesDirectory = join(folder, 'bundles');
for (const name of ['create-attendees', 'reconciler', 'observer', 'sealer']) {
  mkdirSync(join(bundlesDirectory, name), { recursive: true });
  writeFileSync(join(bundlesDirectory, name, 'index.mjs'), `// ${name}`);
}

/** A user's app, with feature flags where they are given. */
export function createApp(context: Record<string, unknown> = {}): App {
  return new App({
    outdir: mkdtempSync(join(folder, 'cdk.out-')),
    context,
    // What CDK checks by itself takes longer than all the rest; `test/bin/usher.full.ts` synthesizes with it.
    builtinCloudFormationValidation: false,
    treeMetadata: false,
  });
}

/** A stack with the given configuration. */
export function createStack(config: object = {}, app = createApp()): UsherStack {
  const parsed = parseConfig({ stackName: 'usher-test', ...config }, 'config/test.json');
  return new UsherStack(app, parsed.stackName, { config: parsed, bundlesDirectory });
}

const synthesized = new Map<string, Template>();

/** What CloudFormation would be given for a configuration. A file's tests share it: read it only. */
export function synthesize(config: object = {}): Template {
  const key = JSON.stringify(config);
  const template = synthesized.get(key) ?? Template.fromStack(createStack(config));
  synthesized.set(key, template);
  return template;
}

/** A user's stack. */
export function createForeignStack(props: StackProps = {}, app = createApp()): Stack {
  return new Stack(app, 'Theirs', props);
}

/** A facade in a user's stack. */
export function addFacade(stack: Stack, props: AttendeeFacadeProps = {}, id = 'Facade'): AttendeeFacade {
  return new AttendeeFacade(stack, id, { bundlesDirectory, ...props });
}

/** A resource of a template, loosely typed: tests say themselves what they expect. */
export interface Resource {
  id: string;
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  UpdatePolicy?: unknown;
  Metadata?: Record<string, unknown>;
}

/** The resources of a type, or of all types, whose logical ids begin as given. */
export function resourcesOf(template: Template, type?: string, idPrefix = ''): Resource[] {
  const resources = template.toJSON()['Resources'] as Record<string, Omit<Resource, 'id'>>;
  return Object.entries(resources)
    .filter(([id, { Type }]) => (type === undefined || Type === type) && id.startsWith(idPrefix))
    .map(([id, resource]) => ({ id, ...resource }));
}

/** The one resource of a type whose logical id begins as given. */
export function theResource(template: Template, type: string, idPrefix = ''): Resource {
  const [resource, ...others] = resourcesOf(template, type, idPrefix);
  if (resource === undefined || others.length > 0) {
    throw new Error(`${others.length + (resource ? 1 : 0)} resources ${type} ${idPrefix}*`);
  }
  return resource;
}

/** References as the ids that they name, joined with the text around them: `arn:<AWS::Partition>:…:<AuditTable.Arn>`. */
export function flat(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Intrinsics;
  if (ref !== undefined) return `<${ref}>`;
  if (attribute !== undefined) return `<${attribute.join('.')}>`;
  if (join !== undefined) return join[1].map(flat).join(join[0]);
  return JSON.stringify(value);
}

interface Intrinsics {
  Ref?: string;
  'Fn::GetAtt'?: string[];
  'Fn::Join'?: [string, unknown[]];
}
