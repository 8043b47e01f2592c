import { checkAnswers } from './audit-check.ts';
import { startBundle } from './processes.ts';
import { exact, type Row } from './report.ts';
import { HANDLER_DIRECTORY, type Setting } from './setting.ts';

/** Whether a process grows with the requests that it answers. */
export async function measureMemory(
  setting: Setting,
  { requests, settled }: { requests: number; settled: number },
): Promise<Row[]> {
  const section = 'memory';
  const event = await setting.eventFor(1);
  const process = await startBundle(HANDLER_DIRECTORY, { env: setting.env, measureHeap: true });
  const run = async (count: number) => {
    const result = await process.run({ event, requests: count });
    checkAnswers(result.answers, 1);
    const { calls } = await setting.standIn.take();
    const batches = calls.filter(({ operation }) => operation === 'ExecuteStatement outcome').length;
    if (batches !== count) throw new Error(`${count} requests have ${batches} outcomes.`);
    return result;
  };
  const early = await run(settled);
  let late = early;
  for (let done = settled; done < requests; done += settled) late = await run(settled);
  await process.close();
  const megabytes = (bytes = Number.NaN) => bytes / 2 ** 20;
  const growth = ((late.heapBytes ?? Number.NaN) / (early.heapBytes ?? Number.NaN) - 1) * 100;
  const count = (number: number) => number.toLocaleString('en-US');
  return [
    exact(section, `heap after ${count(settled)} requests`, 'MB', megabytes(early.heapBytes)),
    exact(section, `heap after ${count(requests)} requests`, 'MB', megabytes(late.heapBytes)),
    { ...exact(section, 'heap growth between them', '%', growth), atMost: 5, aim: 0 },
    exact(section, `resident after ${count(requests)} requests`, 'MB', megabytes(late.residentBytes)),
  ];
}
