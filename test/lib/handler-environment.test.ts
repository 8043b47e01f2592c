import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { App, CfnParameter, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { readSettings } from '../../lambda/create-attendees/environment.ts';
import type { AttendeeFacadeProps } from '../../lib/facade-props.ts';
import { MAX_ENVIRONMENT_BYTES } from '../../lib/handler-environment.ts';
import { problemOf } from '../support/configuration-error.ts';
import { addFacade, createForeignStack, issuer, resourcesOf, theResource } from '../support/synthesize.ts';

const folder = mkdtempSync(join(tmpdir(), 'usher-environment-'));
afterAll(() => rmSync(folder, { recursive: true }));

const env = { region: 'eu-central-1', account: '123456789012' };

/** Tables with the longest names, so that what is measured is all written out. */
const tables = (stack: Stack) => ({
  audit: Table.fromTableName(stack, 'Audit', 'a'.repeat(255)),
  admissions: Table.fromTableName(stack, 'Admissions', 'b'.repeat(255)),
});

// Chime takes no character four times in a row.
const tenants = (count: number) =>
  Array.from({ length: count }, (_, index) => `t${String(1000 + index).replace(/^../, '$&-')}`);
const origins = (count: number) =>
  Array.from({ length: count }, (_, index) => `https://app-${100 + index}.example.com`);

function variablesOf(stack: Stack): Record<string, string> {
  const { Properties } = theResource(Template.fromStack(stack), 'AWS::Lambda::Function', 'FacadeAttendees');
  return (Properties['Environment'] as { Variables: Record<string, string> }).Variables;
}

/** As Lambda measures: the compact JSON of all variables, with names as long as CloudFormation makes them. */
function measured(variables: Record<string, unknown>): number {
  const written = Object.entries(variables).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : 'x'.repeat(255),
  ]);
  return Buffer.byteLength(JSON.stringify(Object.fromEntries(written)));
}

function withOrigins(count: number, lastLength = 0): { stack: Stack; problem: string | undefined } {
  const stack = createForeignStack({ env });
  const allowedOrigins = [...origins(count), `https://${'z'.repeat(lastLength)}.example.com`];
  return { stack, problem: problemOf(() => addFacade(stack, { issuers: [issuer], allowedOrigins })) };
}

describe('the environment of the function, which Lambda limits to 4 KB', () => {
  it('may be exactly full, counted as the JSON of all variables with the longest table names', () => {
    const { stack } = withOrigins(70, 1);
    const room = MAX_ENVIRONMENT_BYTES - measured(variablesOf(stack));
    expect(room).toBeGreaterThan(100);
    for (const left of [1, 0]) {
      const full = withOrigins(70, 1 + room - left);
      expect(full.problem).toBeUndefined();
      expect(measured(variablesOf(full.stack))).toBe(MAX_ENVIRONMENT_BYTES - left);
      expect(variablesOf(full.stack)['ISSUERS']).toBeDefined();
    }
    // One more, and the issuers go into a file.
    const over = withOrigins(70, 2 + room);
    expect(over.problem).toBeUndefined();
    expect(variablesOf(over.stack)['ISSUERS']).toBeUndefined();
  });

  it('is rejected if it is too large even without the issuers', () => {
    const { problem } = withOrigins(150);
    expect(problem).toMatch(
      /^Theirs\/Facade: allowedOrigins: would make the function's environment \d+ bytes long, but Lambda allows 4096, so the deployment would fail halfway; list fewer$/,
    );
  });

  it('has the configured request headers, and no variable without them', () => {
    const headersOf = (allowedHeaders: string[]) => {
      const stack = createForeignStack({ env });
      addFacade(stack, { issuers: [issuer], allowedHeaders });
      return variablesOf(stack)['ALLOWED_HEADERS'];
    };
    expect(headersOf(['x-correlation-id'])).toBe('["x-correlation-id"]');
    expect(headersOf([])).toBeUndefined();
  });

  it('names the headers if they are too many', () => {
    const allowedHeaders = Array.from({ length: 150 }, (_, index) => `x-header-number-${100 + index}`);
    const stack = createForeignStack({ env });
    const problem = problemOf(() => addFacade(stack, { issuers: [issuer], allowedHeaders }));
    expect(problem).toMatch(/^Theirs\/Facade: allowedHeaders: would make .*; list fewer$/);
  });

  it.each([100, 276, 400, 2000])('holds no more than that for %d short tenants', (count) => {
    const stack = createForeignStack({ env });
    addFacade(stack, { tables: tables(stack), issuers: [{ ...issuer, tenants: tenants(count) }] });
    expect(measured(variablesOf(stack))).toBeLessThanOrEqual(MAX_ENVIRONMENT_BYTES);
  });

  it('counts a deploy-time value with its greatest length, and cannot put it into a file', () => {
    const stack = createForeignStack();
    const parameter = new CfnParameter(stack, 'Host');
    const props: AttendeeFacadeProps = {
      issuers: [{ ...issuer, issuer: `https://${parameter.valueAsString}`, tenants: tenants(400) }],
    };
    expect(problemOf(() => addFacade(stack, props))).toMatch(
      /^Theirs\/Facade: issuers: would make the function's environment \d+ bytes long, .*; use values that are known at synthesis/,
    );
  });
});

describe('issuers that have no room in the environment', () => {
  const synthesized = (count: number, id = 'Facade') => {
    const app = new App({
      outdir: mkdtempSync(join(folder, 'cdk.out-')),
      builtinCloudFormationValidation: false,
    });
    const stack = createForeignStack({ env }, app);
    addFacade(stack, { issuers: [{ ...issuer, tenants: tenants(count) }] }, id);
    addFacade(stack, { issuers: [{ ...issuer, tenants: tenants(count + 1) }] }, `${id}2`);
    const assembly = app.synth();
    const template = Template.fromJSON(assembly.getStackByName('Theirs').template);
    return resourcesOf(template, 'AWS::Lambda::Function')
      .filter(({ id }) => id.includes('Attendees'))
      .map(({ Properties }) => {
        const { S3Key: key } = Properties['Code'] as { S3Key: string };
        return join(assembly.directory, `asset.${key.replace('.zip', '')}`);
      });
  };

  it('are in the asset of the function, beside its code, where it reads them', () => {
    const [one, two] = synthesized(400) as [string, string];
    expect(existsSync(join(one, 'index.mjs'))).toBe(true);
    const variables = {
      AUDIT_TABLE_NAME: 'audit',
      ADMISSION_TABLE_NAME: 'admissions',
      ALLOWED_ORIGINS: '[]',
      AUDIT_RETENTION_DAYS: '',
      MEETINGS_REGION: 'eu-central-1',
    };
    const read = (directory: string) =>
      readSettings({ ...variables, LAMBDA_TASK_ROOT: directory }).issuers[0];
    expect(read(one)).toMatchObject({ issuer: issuer.issuer, tenants: tenants(400) });
    expect(read(two)).toMatchObject({ tenants: tenants(401) });
  });

  it('make the same asset from the same settings, and another from others', () => {
    const names = (count: number) => synthesized(count).map((path) => path.replace(/.*asset\./, ''));
    const first = names(400);
    expect(names(400)).toEqual(first);
    expect(new Set([...first, ...names(500)]).size).toBe(4);
  });
});
