import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { ApiDocument } from '../../lib/attendee-api.ts';
import { parseConfig } from '../../lib/config.ts';
import { UsherStack } from '../../lib/usher-stack.ts';

/** The issuer of a deployment that brings its own. */
export const issuer = {
  issuer: 'https://login.example.com',
  audience: ['https://meetings.example.com'],
  accessToken: 'at+jwt',
  scopes: { delegate: 'attendees.create', self: 'attendees.create.self' },
  tenantClaim: 'tenant',
};

/** The contract that is deployed. */
export const apiDocument: ApiDocument = JSON.parse(readFileSync('openapi.json', 'utf8'));

const folder = mkdtempSync(join(tmpdir(), 'usher-stack-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Nearly empty files that stand for the functions' bundles; not the same ones, or CDK would take them for one asset. */
const bundlesDirectory = join(folder, 'bundles');
for (const name of ['create-attendees', 'reconciler']) {
  mkdirSync(join(bundlesDirectory, name), { recursive: true });
  writeFileSync(join(bundlesDirectory, name, 'index.js'), `// ${name}`);
}

/** A stack with the given configuration. */
export function createStack(config: object = {}, document: ApiDocument = apiDocument): UsherStack {
  const parsed = parseConfig({ stackName: 'usher-test', ...config }, 'config/test.json');
  // What CDK checks by itself takes longer than all the rest; `test/bin/usher.full.ts` synthesizes with it.
  const app = new App({
    outdir: mkdtempSync(join(folder, 'cdk.out-')),
    builtinCloudFormationValidation: false,
  });
  return new UsherStack(app, parsed.stackName, { config: parsed, apiDocument: document, bundlesDirectory });
}

/** What CloudFormation would be given for a configuration. */
export function synthesize(config?: object, document?: ApiDocument): Template {
  return Template.fromStack(createStack(config, document));
}
