import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type Check, expectSame, expectThat, NotCheckable } from '../check.ts';

/** The schedule runs every minute; a sweep ends at most the margin and a run before now. */
const SWEPT_WITHIN_MS = 5 * 60_000;

/** What finishes the batches that a function could not. */
export const reconciler: Check[] = [
  {
    name: 'has swept the last minutes, by its schedule',
    run: async ({ kind, tables: { client, openIntentTableName } }) => {
      if (kind === 'local') throw new NotCheckable('the local schedule can be off');
      const { Item } = await client.send(
        new GetItemCommand({
          TableName: openIntentTableName,
          Key: marshall({ list: 'sweep', batchId: 'through' }),
          ConsistentRead: true,
        }),
      );
      const through = Item?.['through']?.S;
      expectThat(through !== undefined, 'it has never swept: its first run is a minute after the deployment');
      expectThat(Date.now() - Date.parse(through) < SWEPT_WITHIN_MS, `it has swept to ${through} only`);
      return `to ${through}`;
    },
  },
  {
    name: 'runs when it is asked to, without failures',
    run: async ({ reconcile }) => {
      const summary = await reconcile();
      expectSame('failures', summary.failures, 0);
      expectSame('sweptToEnd', summary.sweptToEnd, true);
      return Object.entries(summary)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ');
    },
  },
];
