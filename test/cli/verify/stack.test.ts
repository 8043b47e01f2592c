import { describe, expect, it } from '@jest/globals';
import type { AwsCall } from '../../../cli/verify/aws.ts';
import { readStack } from '../../../cli/verify/stack.ts';

const HANDLER = { ALLOWED_ORIGINS: '[]', AUDIT_TABLE_NAME: 'audit' };
const RECONCILER = { OPEN_INTENT_TABLE_NAME: 'open', AUDIT_TABLE_NAME: 'audit' };

/** An account with one stack, whose functions have these variables in their environment. */
function accountOf(functions: Record<string, object>, status = 'CREATE_COMPLETE'): AwsCall {
  const resources = Object.keys(functions).map((name) => ({
    LogicalResourceId: name,
    PhysicalResourceId: name,
    ResourceType: 'AWS::Lambda::Function',
  }));
  const answers: Record<string, (input: Record<string, string>) => unknown> = {
    DescribeStacks: () => ({
      Stacks: [{ StackStatus: status, Outputs: [{ OutputKey: 'ApiUrl', OutputValue: 'https://api' }] }],
    }),
    // One resource a page.
    ListStackResources: ({ NextToken = '0' }) => ({
      StackResourceSummaries: [resources[Number(NextToken)]],
      ...(Number(NextToken) + 1 < resources.length && { NextToken: String(Number(NextToken) + 1) }),
    }),
    GetFunctionConfiguration: ({ FunctionName = '' }) => ({
      FunctionName,
      Environment: { Variables: functions[FunctionName] },
    }),
  };
  return async (_service, operation, input) => answers[operation]?.(input as Record<string, string>) as never;
}

describe('the stack that is verified', () => {
  it('is read with all of its resources, with each function identified', async () => {
    const stack = await readStack(accountOf({ other: {}, r: RECONCILER, h: HANDLER }), 'usher');
    expect(stack.handler.FunctionName).toBe('h');
    expect(stack.reconciler.FunctionName).toBe('r');
    expect(stack.resources).toHaveLength(3);
    expect(stack.outputs).toEqual({ ApiUrl: 'https://api' });
  });

  it.each(['ROLLBACK_COMPLETE', 'UPDATE_IN_PROGRESS', 'UPDATE_ROLLBACK_FAILED', 'DELETE_FAILED'])(
    'is not one that is %s',
    async (status) => {
      await expect(readStack(accountOf({ r: RECONCILER, h: HANDLER }, status), 'usher')).rejects.toThrow(
        `The stack usher is ${status}: docs/first-deployment.md`,
      );
    },
  );

  it.each([
    ['no Usher', { r: RECONCILER }, '0 functions with ALLOWED_ORIGINS'],
    ['two of them', { r: RECONCILER, h: HANDLER, i: HANDLER }, '2 functions with ALLOWED_ORIGINS'],
  ])('is not one with %s', async (_, functions, problem) => {
    await expect(readStack(accountOf(functions), 'usher')).rejects.toThrow(problem);
  });
});
