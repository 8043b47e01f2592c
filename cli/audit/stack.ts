import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';

/** The tables of one Usher. */
export interface StackTables {
  table: string;
  admissionTable: string;
  openIntentTable: string;
  /** Left out if Chime's events are not recorded. */
  eventTable?: string;
}

/** By output of `UsherStack`, and by the end of the logical id, without its hash, in a stack that contains the construct. */
const TABLES = [
  { name: 'table', output: 'AuditTableName', logicalId: /(?:AuditTable|TablesAudit)$/ },
  { name: 'admissionTable', output: 'AdmissionTableName', logicalId: /(?:AdmissionTable|TablesAdmissions)$/ },
  {
    name: 'openIntentTable',
    output: 'OpenIntentTableName',
    logicalId: /(?:OpenIntentTable|TablesOpenIntents)$/,
  },
] as const;

const EVENTS = { output: 'EventTableName', logicalId: /(?:EventTable|TablesEvents)$/ };

/**
 * Finds the tables of a stack. Needs `cloudformation:DescribeStacks`, and `cloudformation:ListStackResources` if the
 * stack has no outputs that name them.
 *
 * @throws if the stack does not exist, or does not have exactly one Usher
 */
export async function tablesOfStack(stackName: string, config: { region?: string }): Promise<StackTables> {
  const client = new CloudFormationClient(config);
  try {
    const outputs = await outputsOf(client, stackName);
    const named = TABLES.flatMap(({ name, output }) => (outputs[output] ? [[name, outputs[output]]] : []));
    const eventTable = outputs[EVENTS.output];
    if (named.length === TABLES.length)
      return { ...Object.fromEntries(named), ...(eventTable && { eventTable }) };
    return await tablesAmongResources(client, stackName);
  } finally {
    client.destroy();
  }
}

/**
 * Finds the seals of a stack. Needs `cloudformation:DescribeStacks`.
 *
 * @throws where there is no such stack, or its outputs do not name them
 */
export async function sealsOfStack(
  stackName: string,
  config: { region?: string },
): Promise<{ sealBucket: string; sealPrefix: string }> {
  const client = new CloudFormationClient(config);
  try {
    const { SealBucketName: sealBucket, SealPrefix: sealPrefix } = await outputsOf(client, stackName);
    if (sealBucket === undefined || sealPrefix === undefined) {
      throw new Error(
        `The stack ${stackName} has no outputs SealBucketName and SealPrefix: give --seal-bucket and --seal-prefix, or --seals. A deployment with \`seals\` switched off has none.`,
      );
    }
    return { sealBucket, sealPrefix };
  } finally {
    client.destroy();
  }
}

async function outputsOf(client: CloudFormationClient, stackName: string): Promise<Record<string, string>> {
  const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
  if (stack === undefined)
    throw new Error(`The stack ${stackName} does not exist in this account and Region.`);
  return Object.fromEntries(
    (stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  );
}

async function tablesAmongResources(client: CloudFormationClient, stackName: string): Promise<StackTables> {
  const tables: { logicalId: string; name: string }[] = [];
  for await (const page of paginateListStackResources({ client }, { StackName: stackName })) {
    for (const {
      ResourceType,
      LogicalResourceId = '',
      PhysicalResourceId = '',
    } of page.StackResourceSummaries ?? []) {
      if (ResourceType !== 'AWS::DynamoDB::Table') continue;
      tables.push({ logicalId: LogicalResourceId.replace(/[0-9A-F]{8}$/, ''), name: PhysicalResourceId });
    }
  }
  const found = TABLES.map(({ name, output, logicalId }) => {
    const candidates = tables.filter((table) => logicalId.test(table.logicalId));
    const [only] = candidates;
    if (only === undefined || candidates.length > 1) {
      const names = candidates.map((table) => table.name).join(', ') || 'none';
      throw new Error(
        `The stack ${stackName} has no output ${output}, and its table is not clear (candidates: ${names}): give --table, --admission-table and --open-intent-table.`,
      );
    }
    return [name, only.name];
  });
  const events = tables.filter(({ logicalId }) => EVENTS.logicalId.test(logicalId));
  const [eventTable] = events.length === 1 ? events : [];
  return { ...Object.fromEntries(found), ...(eventTable && { eventTable: eventTable.name }) };
}
