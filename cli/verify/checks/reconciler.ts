import { setTimeout as pause } from 'node:timers/promises';
import { createOpenIntents } from '../../../lambda/audit/open-intents.ts';
import { type Check, expectSame, expectThat, NotCheckable } from '../check.ts';

/** The schedule runs every minute; a sweep ends the margin before its run. */
const SWEPT_WITHIN_MS = 3 * 60_000;
/** A schedule that was just deployed takes a minute or two to begin. */
const FIRST_RUN_MS = 150_000;
const RETRY_MS = 2_000;

/** What finishes the batches that a function could not. */
export const reconciler: Check[] = [
  {
    name: 'has swept the last minutes, by its schedule',
    run: async ({ kind, tables }) => {
      if (kind === 'local') throw new NotCheckable('the local schedule can be off');
      const deadlineMs = performance.now() + FIRST_RUN_MS;
      const openIntents = createOpenIntents(tables.client, tables);
      const sweptThrough = async () => (await openIntents.mark('fast'))?.through;
      let through = await sweptThrough();
      while (!isRecent(through) && performance.now() < deadlineMs) {
        await pause(RETRY_MS);
        through = await sweptThrough();
      }
      expectThat(
        isRecent(through),
        through === undefined ? 'it has never swept' : `it has swept to ${through} only`,
      );
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

const isRecent = (through: string | undefined): boolean =>
  through !== undefined && Date.now() - Date.parse(through) < SWEPT_WITHIN_MS;
