import { Command } from 'commander';
import type { ReconcileSummary } from '../lambda/reconciler/reconcile.ts';
import { readLocalEnvironment, stateDirectory } from '../local/environment.ts';
import { callersCredentials, functionEnvironment } from '../local/lambda/environment.ts';
import { createFunctionPool } from '../local/lambda/pool.ts';
import { survivePipedHelp } from '../local/output.ts';

survivePipedHelp();

const { since } = new Command('npm run --silent reconcile --')
  .description(
    "Runs the local system's reconciler once, as deployed: the same bundle, in its own process, with the stack's environment.",
  )
  .option('--since <instant>', 'sweeps again from this time (ISO 8601), regardless of earlier sweeps')
  .parse()
  .opts<{ since?: string }>();

try {
  const { reconciler, region, chimeUrl, dynamodbUrl } = readLocalEnvironment(stateDirectory(process.env));
  const credentials = callersCredentials(process.env);
  const environment = functionEnvironment(reconciler, { region, chimeUrl, dynamodbUrl, credentials });
  const pool = createFunctionPool(reconciler, { environment, maxProcesses: 1 });
  try {
    const summary = (await pool.invoke(since === undefined ? {} : { since })) as ReconcileSummary;
    console.log(
      Object.entries(summary)
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
    );
  } finally {
    await pool.close();
  }
} catch (error) {
  console.error(`reconcile: ${(error as Error).message}`);
  process.exitCode = 1;
}
