import { expect, it } from '@jest/globals';
import type { Batch } from '../../../cli/audit/batches.ts';
import { filtered, NO_FILTER_COUNTS } from '../../../cli/audit/filters.ts';

const batch = (batchId: string, caller: string, rest: object): Batch =>
  ({ batchId, meetingId: 'm', state: 'DENIED', ...rest, ...by(caller, rest) }) as unknown as Batch;

function by(subject: string, { denial, intent }: { denial?: object; intent?: object }) {
  const callerId = `https://issuer.example|web|${subject}`;
  return denial ? { denial: { callerId, ...denial } } : { intent: { callerId, ...intent } };
}

const all = [
  batch('names bob', 'backend', { intent: { requested: [{ externalUserId: 'bob' }] } }),
  batch('bob asks for another', 'bob', { denial: { names: ['eve'], requestedCount: 1 } }),
  batch('bob reads a meeting', 'bob', { denial: { names: [], requestedCount: 0 } }),
  batch('bob is withheld', 'backend', { intent: {}, outcome: { withheld: [{ externalUserId: 'bob' }] } }),
  batch('names omitted', 'backend', { denial: { names: ['eve'], requestedCount: 90 } }),
  batch('another', 'backend', { intent: { requested: [{ externalUserId: 'bobby' }] } }),
];

it('finds by person what names them, and what they requested themselves', async () => {
  const counts = { ...NO_FILTER_COUNTS };
  const found: string[] = [];
  async function* each() {
    yield* all;
  }
  for await (const { batchId } of filtered(each(), { person: 'bob' }, counts)) found.push(batchId);
  expect(found).toEqual(['names bob', 'bob asks for another', 'bob reads a meeting', 'bob is withheld']);
  expect(counts).toMatchObject({ read: 6, namesUnknown: 1 });
});
