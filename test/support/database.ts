import { startDynamoDb } from '../../local/dynamodb.ts';

/**
 * A DynamoDB for a suite: dynalite, or the one at `USHER_TEST_DYNAMODB_URL`, which suites then share, so that tables need
 * names of their own. `npm run test:dynamodb-local` sets it.
 */
export async function startDatabase(): Promise<{ url: string; close(): Promise<void> }> {
  const url = process.env['USHER_TEST_DYNAMODB_URL'];
  return url === undefined ? startDynamoDb() : { url, close: async () => {} };
}
