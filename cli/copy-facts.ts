import {
  type AttributeValue,
  DynamoDBClient,
  ExecuteStatementCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { Command } from 'commander';
import { isTaken } from '../lambda/aws/dynamodb-errors.ts';

/** Limits the concurrent inserts. */
const AT_ONCE = 10;

export interface Copied {
  /** Records that the target lacked. */
  copied: number;
  /** Records whose key the target has: they stay as they are. */
  existing: number;
}

/**
 * Inserts every record that the target table of facts lacks, and changes none. Needs `dynamodb:Scan` on the source and
 * `dynamodb:PartiQLInsert` on the target.
 */
export async function copyFacts(
  client: DynamoDBClient,
  { from, to }: { from: string; to: string },
): Promise<Copied> {
  const counts: Copied = { copied: 0, existing: 0 };
  for await (const { Items = [] } of paginateScan({ client }, { TableName: from, ConsistentRead: true })) {
    for (let start = 0; start < Items.length; start += AT_ONCE) {
      await Promise.all(
        Items.slice(start, start + AT_ONCE).map(async (item) => {
          counts[(await insert(client, to, item)) ? 'copied' : 'existing'] += 1;
        }),
      );
    }
  }
  return counts;
}

/** @returns whether the key was free */
async function insert(
  client: DynamoDBClient,
  tableName: string,
  item: Record<string, AttributeValue>,
): Promise<boolean> {
  const fields = Object.keys(item).map((name) => `'${name}': ?`);
  try {
    await client.send(
      new ExecuteStatementCommand({
        Statement: `INSERT INTO "${tableName}" VALUE {${fields.join(', ')}}`,
        Parameters: Object.values(item),
      }),
    );
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
}

async function main(): Promise<void> {
  const { from, to, region } = new Command('npm run --silent copy-facts --')
    .description('Copies the records that one audit table lacks from another one (docs/restore.md).')
    .requiredOption('--from <table>', 'the table to read')
    .requiredOption('--to <table>', 'the table to add to')
    .option('--region <region>', 'the Region of both')
    .parse()
    .opts<{ from: string; to: string; region?: string }>();
  const client = new DynamoDBClient({ ...(region && { region }) });
  const { copied, existing } = await copyFacts(client, { from, to });
  console.log(`copied ${copied}, existing ${existing}`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`copy-facts: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
