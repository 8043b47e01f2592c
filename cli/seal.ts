import { Command } from 'commander';
import { hourAfter, sealDueMs } from '../lambda/audit/seals.ts';
import type { SealSummary } from '../lambda/sealer/seal.ts';
import { readLocalEnvironment, stateDirectory } from '../local/environment.ts';
import { callersCredentials, functionEnvironment } from '../local/lambda/environment.ts';
import { createFunctionPool } from '../local/lambda/pool.ts';
import { survivePipedHelp } from '../local/output.ts';

survivePipedHelp();

new Command('npm run --silent seal --')
  .description(
    "Runs the local system's sealer once, as deployed: the same bundle, in its own process, with the stack's environment. An hour is sealed two hours after it ends; tables and seals are kept between starts.",
  )
  .parse();

try {
  const { sealer, ...services } = readLocalEnvironment(stateDirectory(process.env));
  if (sealer === undefined) {
    throw new Error('The local system seals nothing: set `seals.enabled` in its configuration.');
  }
  const credentials = callersCredentials(process.env);
  const environment = functionEnvironment(sealer, { ...services, credentials });
  const pool = createFunctionPool(sealer, { environment, maxProcesses: 1 });
  try {
    const { newest, ...counts } = (await pool.invoke({})) as SealSummary;
    const summary = Object.entries(counts).map(([name, value]) => `${name}=${value}`);
    if (newest !== undefined) {
      const next = hourAfter(newest);
      summary.push(`newest=${newest}`, `next=${next}`, `due=${new Date(sealDueMs(next)).toISOString()}`);
    }
    console.log(summary.join(' '));
  } finally {
    await pool.close();
  }
} catch (error) {
  console.error(`seal: ${(error as Error).message}`);
  process.exitCode = 1;
}
