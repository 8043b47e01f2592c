import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AwsCall } from '../../../cli/verify/aws.ts';
import type { Check } from '../../../cli/verify/check.ts';
import { gateway } from '../../../cli/verify/checks/gateway.ts';
import { overwrites } from '../../../cli/verify/checks/overwrites.ts';
import { seals } from '../../../cli/verify/checks/seals.ts';
import { runChecks } from '../../../cli/verify/run.ts';
import type { DeployedStack } from '../../../cli/verify/stack.ts';
import type { World } from '../../../cli/verify/world.ts';
import { GATEWAY_ANSWERS, gatewayResponse } from '../../../lib/api-routes.ts';
import { createTestTables, type TestTables } from '../../support/audit-command.ts';
import { startDatabase } from '../../support/database.ts';

const STACK = {
  resources: [
    { LogicalResourceId: 'Api', PhysicalResourceId: 'api1', ResourceType: 'AWS::ApiGateway::RestApi' },
    { LogicalResourceId: 'Role', PhysicalResourceId: 'extra', ResourceType: 'AWS::IAM::Role' },
  ],
  handler: { Role: 'arn:aws:iam::123456789012:role/handler' },
  reconciler: { Role: 'arn:aws:iam::123456789012:role/reconciler' },
  sealer: { FunctionName: 'sealer', Environment: { Variables: { SEAL_BUCKET_NAME: 'seals' } } },
} as unknown as DeployedStack;

let database: Awaited<ReturnType<typeof startDatabase>>;
let tables: TestTables;

beforeAll(async () => {
  database = await startDatabase();
  tables = await createTestTables(database.url, 'verify');
});

afterAll(async () => {
  tables.client.destroy();
  await database.close();
});

/** What becomes of one check, where the account answers like this. */
async function lineOf(checks: Check[], answers: Record<string, (input: never) => unknown>): Promise<string> {
  const call: AwsCall = async (_service, operation, input) => answers[operation]?.(input as never) as never;
  const world = { kind: 'aws', answered: [], tables, deployment: { call, stack: STACK } } as unknown as World;
  const lines: string[] = [];
  await runChecks([{ name: 'group', checks: checks.slice(0, 1) }], world, {
    print: (line) => lines.push(line),
    stop: new AbortController().signal,
  });
  return lines.join('\n');
}

/** Answers of IAM, where these roles may do these things. */
function iam(permitted: Record<string, string[]>) {
  return {
    GetRole: ({ RoleName }: { RoleName: string }) => ({
      Role: { Arn: `arn:aws:iam::123456789012:role/${RoleName}` },
    }),
    SimulatePrincipalPolicy: (input: { PolicySourceArn: string; ActionNames: string[] }) => ({
      EvaluationResults: input.ActionNames.map((EvalActionName) => ({
        EvalActionName,
        EvalDecision: permitted[input.PolicySourceArn.split('/')[1] ?? '']?.includes(EvalActionName)
          ? 'allowed'
          : 'implicitDeny',
      })),
    }),
  };
}

describe('the check of overwrites', () => {
  it('passes if no role of the stack may change a fact', async () => {
    expect(await lineOf(overwrites, iam({}))).toMatch(/^passed .*\(3 roles, \d actions\)$/);
  });

  it.each(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'PartiQLUpdate', 'PartiQLDelete'])(
    'names a role that has dynamodb:%s, though it is no function',
    async (action) => {
      expect(await lineOf(overwrites, iam({ extra: [`dynamodb:${action}`] }))).toMatch(
        new RegExp(`^failed .*\\(extra: dynamodb:${action}\\)$`),
      );
    },
  );

  it('fails if IAM does not answer for every action', async () => {
    const answers = { ...iam({}), SimulatePrincipalPolicy: () => ({ EvaluationResults: [] }) };
    expect(await lineOf(overwrites, answers)).toMatch(
      /^failed .*number of actions that IAM answers for is 0/,
    );
  });
});

describe('the check of gateway responses', () => {
  const deployed = () =>
    GATEWAY_ANSWERS.map((answer) => {
      const { statusCode, responseHeaders, templates } = gatewayResponse(answer);
      return {
        responseType: answer.type as string,
        statusCode,
        responseParameters: Object.fromEntries(
          Object.entries(responseHeaders).map(([name, value]) => [`gatewayresponse.header.${name}`, value]),
        ),
        responseTemplates: templates as Record<string, string>,
      };
    });

  it('passes if all of them match the stack', async () => {
    expect(await lineOf(gateway, { GetGatewayResponses: () => ({ items: deployed() }) })).toMatch(/^passed /);
  });

  it.each([
    [
      'is missing',
      'THROTTLED is missing',
      (items: ReturnType<typeof deployed>) =>
        items.filter(({ responseType }) => responseType !== 'THROTTLED'),
    ],
    [
      'has another status',
      'THROTTLED has the status 200, expected 429',
      (items: ReturnType<typeof deployed>) =>
        items.map((item) => (item.responseType === 'THROTTLED' ? { ...item, statusCode: '200' } : item)),
    ],
    [
      'has no body of its own',
      'THROTTLED has no "Code", "Message", "RequestId" in its body',
      (items: ReturnType<typeof deployed>) =>
        items.map((item) => (item.responseType === 'THROTTLED' ? { ...item, responseTemplates: {} } : item)),
    ],
    [
      'has no class',
      'THROTTLED is not ThrottlingException',
      (items: ReturnType<typeof deployed>) =>
        items.map((item) => (item.responseType === 'THROTTLED' ? { ...item, responseParameters: {} } : item)),
    ],
  ])('names one that %s', async (_, problem, broken) => {
    const line = await lineOf(gateway, { GetGatewayResponses: () => ({ items: broken(deployed()) }) });
    expect(line).toBe(`failed  group: shapes every error that the gateway makes (${problem})`);
  });
});

describe('the checks of seals', () => {
  const statement = (operator: string, key: string, value: string) => ({
    Effect: 'Deny',
    Condition: { [operator]: { [key]: value } },
  });
  const once = statement('Null', 's3:if-none-match', 'true');
  const tls = statement('Bool', 'aws:SecureTransport', 'false');
  const policy = (...statements: object[]) => ({
    GetBucketPolicy: () => ({ Policy: JSON.stringify({ Statement: statements }) }),
  });

  it.each([
    [[once, tls], /^passed .*\(seals\)$/],
    [[tls], /^failed .*takes an object for a key that has one/],
    [[once], /^failed .*takes requests without TLS/],
    [[{ ...once, Effect: 'Allow' }, tls], /^failed /],
  ])('read the policy of the bucket', async (statements, line) => {
    expect(await lineOf(seals, policy(...statements))).toMatch(line);
  });

  it.each([
    [{ Mode: 'GOVERNANCE', Days: 430 }, /^passed .*\(governance, 430 days\)$/],
    [undefined, /^failed .*has no default retention/],
  ])('read the lock %p', async (DefaultRetention, line) => {
    const answers = {
      GetBucketVersioning: () => ({ Status: 'Enabled' }),
      GetObjectLockConfiguration: () => ({ ObjectLockConfiguration: { Rule: { DefaultRetention } } }),
    };
    expect(await lineOf(seals.slice(1), answers)).toMatch(line);
  });

  it('skip the lock of a bucket that has none, and say so', async () => {
    const answers = {
      GetBucketVersioning: () => ({ Status: 'Enabled' }),
      GetObjectLockConfiguration: async () => {
        throw Object.assign(new Error('none'), { name: 'ObjectLockConfigurationNotFoundError' });
      },
    };
    expect(await lineOf(seals.slice(1), answers)).toMatch(/^skipped .*has no lock/);
  });

  it.each([
    [{ unsealed: 0, broken: 0, newest: '2026-11-23T13Z' }, /^passed .*\(to 2026-11-23T13Z\)$/],
    [{ unsealed: 2, broken: 0 }, /^failed .*hours without a seal is 2, expected 0/],
    [{ unsealed: 0, broken: 1 }, /^failed .*broken seals is 1, expected 0/],
  ])('run the sealer, and judge %p', async (summary, line) => {
    const Payload = Buffer.from(JSON.stringify(summary));
    expect(await lineOf(seals.slice(2), { Invoke: () => ({ Payload }) })).toMatch(line);
  });
});
