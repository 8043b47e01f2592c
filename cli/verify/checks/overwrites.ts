import {
  type AttributeValue,
  DescribeTableCommand,
  ExecuteStatementCommand,
  GetItemCommand,
  GetResourcePolicyCommand,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { recordId } from '../../../lambda/audit/records.ts';
import type { AwsCall } from '../aws.ts';
import { type Check, deploymentOf, expectSame, expectThat, NotCheckable } from '../check.ts';
import { type DeployedStack, ofType } from '../stack.ts';
import type { World } from '../world.ts';

/** Every way to change or remove an item of a table; an insert by PartiQL only adds. */
const OVERWRITING_ACTIONS = [
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'BatchWriteItem',
  'PartiQLUpdate',
  'PartiQLDelete',
  'UpdateTable',
  'UpdateTimeToLive',
  'DeleteTable',
].map((action) => `dynamodb:${action}`);

/** Whether Usher's own roles could change a record. */
export const overwrites: Check[] = [
  {
    name: 'has no role that could change or delete a fact',
    run: async (world) => {
      const { call, stack } = deploymentOf(world);
      const roles = await rolesOf(call, stack);
      expectThat(roles.length >= 2, `found ${roles.length} roles, expected one for each function`);
      const { TableArn } = await describeAuditTable(world);
      const permitted: string[] = [];
      for (const { name, arn } of roles) {
        const actions = await actionsPermitted(call, arn, TableArn as string);
        if (actions.length > 0) permitted.push(`${name}: ${actions.join(', ')}`);
      }
      expectThat(permitted.length === 0, permitted.join('; '));
      return `${roles.length} roles, ${OVERWRITING_ACTIONS.length} actions`;
    },
  },
  {
    name: 'refuses an insert over a fact',
    run: async ({ answered, tables: { client, auditTableName: TableName } }) => {
      const [batch] = answered;
      if (batch === undefined) throw new NotCheckable('no batch was admitted');
      const { Item } = await client.send(
        new GetItemCommand({
          TableName,
          Key: marshall({
            meetingId: batch.meetingId.toLowerCase(),
            recordId: recordId(batch.batchId, 'intent'),
          }),
          ConsistentRead: true,
        }),
      );
      expectThat(Item !== undefined, `batch ${batch.batchId} has no intent on record`);
      // The very same item: if the insert succeeds, nothing changes.
      const error = await errorOf(client.send(insertOf(TableName, Item)));
      if (error?.name === 'UnknownOperationException') throw error;
      expectThat(
        error?.name.startsWith('DuplicateItem') === true,
        `the answer is ${error?.name ?? 'success'}`,
      );
      return error.name;
    },
  },
  {
    name: 'has a table of facts that no other policy opens',
    run: async (world) => {
      const { TableArn } = await describeAuditTable(world);
      const error = await errorOf(
        world.tables.client.send(new GetResourcePolicyCommand({ ResourceArn: TableArn })),
      );
      if (error !== undefined && error.name !== 'PolicyNotFoundException') throw error;
      expectSame('the resource policy', error === undefined ? 'there' : 'none', 'none');
      return undefined;
    },
  },
];

async function describeAuditTable({ tables }: World): Promise<TableDescription> {
  const { Table } = await tables.client.send(new DescribeTableCommand({ TableName: tables.auditTableName }));
  return Table as TableDescription;
}

/** The roles that the stack creates, and those of its functions. */
async function rolesOf(call: AwsCall, stack: DeployedStack): Promise<{ name: string; arn: string }[]> {
  const made = await Promise.all(
    ofType(stack.resources, 'AWS::IAM::Role').map(async ({ PhysicalResourceId: RoleName }) => {
      const { Role } = await call<{ Role: { Arn: string } }>('iam', 'GetRole', { RoleName });
      return Role.Arn;
    }),
  );
  const arns = new Set([...made, stack.handler.Role, stack.reconciler.Role]);
  return [...arns].map((arn) => ({ name: arn.split('/').at(-1) as string, arn }));
}

async function actionsPermitted(call: AwsCall, roleArn: string, tableArn: string): Promise<string[]> {
  const { EvaluationResults = [], IsTruncated } = await call<{
    EvaluationResults?: { EvalActionName: string; EvalDecision: string }[];
    IsTruncated?: boolean;
  }>('iam', 'SimulatePrincipalPolicy', {
    PolicySourceArn: roleArn,
    ActionNames: OVERWRITING_ACTIONS,
    ResourceArns: [tableArn],
  });
  expectThat(!IsTruncated, 'IAM did not answer for every action');
  expectSame(
    'the number of actions that IAM answers for',
    EvaluationResults.length,
    OVERWRITING_ACTIONS.length,
  );
  return EvaluationResults.filter(({ EvalDecision }) => EvalDecision === 'allowed').map(
    ({ EvalActionName }) => EvalActionName,
  );
}

function insertOf(tableName: string, item: Record<string, AttributeValue>): ExecuteStatementCommand {
  const members = Object.keys(item).map((name) => `'${name}': ?`);
  return new ExecuteStatementCommand({
    Statement: `INSERT INTO "${tableName}" VALUE {${members.join(', ')}}`,
    Parameters: Object.values(item),
  });
}

async function errorOf(answer: Promise<unknown>): Promise<Error | undefined> {
  return answer.then(
    () => undefined,
    (error: Error) => error,
  );
}
