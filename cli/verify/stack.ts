import type { ReconcilerEnvironment } from '../../lambda/reconciler/environment.ts';
import type { AwsCall } from './aws.ts';

/** A resource of a stack. */
export interface StackResource {
  LogicalResourceId: string;
  PhysicalResourceId: string;
  ResourceType: string;
}

/**
 * The environment variables of a function. Only the handler has `ALLOWED_ORIGINS`, only the observer `EVENT_TABLE_NAME`, only
 * the sealer `SEAL_BUCKET_NAME`.
 */
type FunctionVariables = Partial<ReconcilerEnvironment> & {
  ALLOWED_ORIGINS?: string;
  EVENT_TABLE_NAME?: string;
  SEAL_BUCKET_NAME?: string;
};

/** A deployed function. */
export interface DeployedFunction {
  FunctionName: string;
  FunctionArn: string;
  Role: string;
  Environment?: { Variables?: FunctionVariables };
}

/** The deployed resources, found through CloudFormation. */
export interface DeployedStack {
  name: string;
  outputs: Record<string, string>;
  resources: StackResource[];
  /** The function that answers requests. */
  handler: DeployedFunction;
  reconciler: DeployedFunction;
  /** Undefined if Chime's events are not recorded. */
  observer?: DeployedFunction;
  /** Undefined if the audit is not sealed. */
  sealer?: DeployedFunction;
}

/** States in which a deployment is complete, be it the last one or the previous one. */
const COMPLETE = [
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
  'UPDATE_ROLLBACK_COMPLETE',
  'IMPORT_COMPLETE',
];

/** @throws in one line if the stack does not exist, is incomplete, or has no Usher */
export async function readStack(call: AwsCall, name: string): Promise<DeployedStack> {
  const { Stacks: [stack] = [] } = await call<{
    Stacks?: { StackStatus: string; Outputs?: { OutputKey: string; OutputValue: string }[] }[];
  }>('cloudformation', 'DescribeStacks', { StackName: name });
  if (stack === undefined) throw new Error(`The stack ${name} does not exist in this account and Region.`);
  if (!COMPLETE.includes(stack.StackStatus)) {
    throw new Error(
      `The stack ${name} is ${stack.StackStatus}: docs/first-deployment.md says what to do about it.`,
    );
  }
  const resources = await listResources(call, name);
  const functions = await Promise.all(
    ofType(resources, 'AWS::Lambda::Function').map(({ PhysicalResourceId }) =>
      call<DeployedFunction>('lambda', 'GetFunctionConfiguration', { FunctionName: PhysicalResourceId }),
    ),
  );
  const having = (variable: keyof FunctionVariables) =>
    functions.find(({ Environment }) => Environment?.Variables?.[variable] !== undefined);
  const observer = having('EVENT_TABLE_NAME');
  const sealer = having('SEAL_BUCKET_NAME');
  return {
    name,
    outputs: Object.fromEntries(
      (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
    ),
    resources,
    handler: theOne(functions, name, 'ALLOWED_ORIGINS'),
    reconciler: theOne(functions, name, 'OPEN_INTENT_TABLE_NAME'),
    ...(observer && { observer }),
    ...(sealer && { sealer }),
  };
}

export function ofType(resources: StackResource[], type: string): StackResource[] {
  return resources.filter(({ ResourceType }) => ResourceType === type);
}

async function listResources(call: AwsCall, name: string): Promise<StackResource[]> {
  const resources: StackResource[] = [];
  let NextToken: string | undefined;
  do {
    const page = await call<{ StackResourceSummaries?: StackResource[]; NextToken?: string }>(
      'cloudformation',
      'ListStackResources',
      { StackName: name, ...(NextToken && { NextToken }) },
    );
    resources.push(...(page.StackResourceSummaries ?? []));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return resources;
}

/** The function with this variable in its environment, which identifies it in any app. */
function theOne(
  functions: DeployedFunction[],
  stackName: string,
  variable: keyof FunctionVariables,
): DeployedFunction {
  const [found, ...others] = functions.filter(
    ({ Environment }) => variable in (Environment?.Variables ?? {}),
  );
  if (found === undefined || others.length > 0) {
    throw new Error(
      `The stack ${stackName} has ${others.length + (found ? 1 : 0)} functions with ${variable}, expected 1: name the stack of one Usher.`,
    );
  }
  return found;
}
