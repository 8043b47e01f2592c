import { loadavg } from 'node:os';
import { checkAnswers } from './audit-check.ts';
import { limitCpu } from './cpu-share.ts';
import { LATENCY } from './felt.ts';
import { PRICES } from './prices.ts';
import { startBundle } from './processes.ts';
import { asText, exact, machine, measured, type Row } from './report.ts';
import { createSetting, HANDLER_DIRECTORY } from './setting.ts';
import { summarize } from './statistics.ts';

// What `limits.memoryMb` costs and brings: the function held to the share of a core that a memory size has on Lambda.

/** With so much memory, a function has one vCPU, and with less its share of one (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). */
const MB_OF_A_CORE = 1_769;
const SIZES_MB = [256, 512, 1_024, MB_OF_A_CORE];
const COLD_STARTS = 11;
const WARM_REQUESTS = 40;
const WARM_UP = 100;

const startedAt = new Date();
const [loadBefore = Number.NaN] = loadavg();
const setting = await createSetting();
try {
  const events = { one: await setting.eventFor(1), hundred: await setting.eventFor(100) };
  const subjects = SIZES_MB.map((mb) => ({
    mb,
    cold: [] as number[],
    one: [] as number[],
    hundred: [] as number[],
  }));
  const limitTo = (mb: number) => (pid: number) => limitCpu(pid, mb / MB_OF_A_CORE);
  await setting.standIn.setLatency(LATENCY);
  for (let round = 0; round < COLD_STARTS; round += 1) {
    for (const { mb, cold } of subjects) {
      const bundle = await startBundle(HANDLER_DIRECTORY, {
        env: setting.env,
        firstEvent: events.one,
        limitCpu: limitTo(mb),
      });
      await bundle.close();
      const { wallMs, first } = bundle.started;
      checkAnswers(first?.answers ?? [], 1);
      cold.push(wallMs + (first?.wallMs[0] ?? Number.NaN));
      await setting.standIn.take();
    }
  }
  for (const { mb, one, hundred } of subjects) {
    const bundle = await startBundle(HANDLER_DIRECTORY, { env: setting.env });
    await setting.standIn.setLatency({});
    await bundle.run({ event: events.hundred, requests: WARM_UP });
    await setting.standIn.setLatency(LATENCY);
    const endLimit = limitTo(mb)(bundle.pid);
    one.push(...(await bundle.run({ event: events.one, requests: WARM_REQUESTS })).wallMs);
    hundred.push(...(await bundle.run({ event: events.hundred, requests: WARM_REQUESTS })).wallMs);
    endLimit();
    await bundle.close();
    await setting.standIn.take();
  }
  const dollars = (mb: number, values: number[]) =>
    (mb / 1_024) * summarize(values).median * 1_000 * PRICES.lambdaGbSecond;
  const rows: Row[] = subjects.flatMap(({ mb, cold, one, hundred }) => {
    const section = `${mb.toLocaleString('en-US')} MB, ${Math.round((mb / MB_OF_A_CORE) * 100)} % of a core`;
    return [
      measured(section, 'cold answer', 'ms', summarize(cold)),
      measured(section, 'warm answer, n = 1', 'ms', summarize(one)),
      measured(section, 'warm answer, n = 100', 'ms', summarize(hundred)),
      exact(section, 'GB-seconds of a million, n = 1', 'dollars', dollars(mb, one)),
      exact(section, 'GB-seconds of a million, n = 100', 'dollars', dollars(mb, hundred)),
    ];
  });
  const seconds = (Date.now() - startedAt.getTime()) / 1_000;
  const report = {
    startedAt: startedAt.toISOString(),
    seconds,
    quick: false,
    machine: machine(loadBefore),
    rows,
  };
  process.stdout.write(asText(report));
} finally {
  await setting.close();
}
