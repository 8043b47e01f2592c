import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { measureCost } from './cost.ts';
import { measureLoad } from './load.ts';
import { measureMemory } from './memory.ts';
import { buildReferences } from './references.ts';
import { asText, machine, type Report, type Row } from './report.ts';
import { createSetting } from './setting.ts';
import { measureStartup, profileStartup } from './startup.ts';
import { measureWarm, measureWithLatency } from './warm.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    /** Another checkout of this repository, built: its function is measured beside this one's. */
    against: { type: 'string' },
  },
});

/** Quick is for seeing that it runs: its figures are too few to be quoted. */
const effort = values.quick
  ? {
      startup: { rounds: 5 },
      profile: { runs: 2 },
      warm: { processes: 2, rounds: 3, warmUp: 100 },
      latency: { requests: 20, warmUp: 50 },
      memory: { requests: 1_500, settled: 500 },
      load: { seconds: 3 },
    }
  : {
      startup: { rounds: 25 },
      profile: { runs: 10 },
      warm: { processes: 8, rounds: 7, warmUp: 1_500 },
      latency: { requests: 100, warmUp: 750 },
      memory: { requests: 10_000, settled: 1_000 },
      load: { seconds: 15 },
    };

const startedAt = new Date();
const [loadBefore = Number.NaN] = loadavg();
const setting = await createSetting(values.against);
try {
  const references = await buildReferences(setting.directory);
  const rows: Row[] = [];
  const step = async (name: string, work: () => Promise<Row[]>) => {
    if (process.stderr.isTTY) process.stderr.write(`${name} …\n`);
    rows.push(...(await work()));
  };
  await step('start-up', () => measureStartup(setting, references, effort.startup));
  await step('start-up by module', () => profileStartup(setting, effort.profile));
  await step('warm', () => measureWarm(setting, references, effort.warm));
  await step('with latency', () => measureWithLatency(setting, references, effort.latency));
  await step('memory', () => measureMemory(setting, effort.memory));
  await step('under load', () => measureLoad(setting, effort.load));
  await step('cost', () => measureCost(setting, rows));
  const report: Report = {
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1_000,
    quick: values.quick,
    machine: machine(loadBefore),
    rows,
  };
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : asText(report));
} finally {
  await setting.close();
}
