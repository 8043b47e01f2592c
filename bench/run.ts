import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { measureCold, measureSizes, measureWarm } from './felt.ts';
import { measureMemory } from './memory.ts';
import { buildReferences } from './references.ts';
import { asText, machine, type Report, type Row } from './report.ts';
import { createSetting } from './setting.ts';

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
  ? { cold: { rounds: 3 }, warm: { requests: 20, warmUp: 50 }, memory: { requests: 1_500, settled: 500 } }
  : {
      cold: { rounds: 25 },
      warm: { requests: 100, warmUp: 500 },
      memory: { requests: 10_000, settled: 1_000 },
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
  await step('bundle', async () => measureSizes(references));
  await step('cold', () => measureCold(setting, references, effort.cold));
  await step('warm', () => measureWarm(setting, references, effort.warm));
  await step('memory', () => measureMemory(setting, effort.memory));
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
