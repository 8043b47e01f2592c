import { startGateway } from '../local/gateway/server.ts';
import { checkAnswers, checkAudit } from './audit-check.ts';
import { startBundle } from './processes.ts';
import { exact, measured, type Row } from './report.ts';
import { HANDLER_DIRECTORY, request, type Setting } from './setting.ts';
import { quantile, summarize } from './statistics.ts';
import { LATENCY } from './warm.ts';

const PROCESSES = 6;
const ATTENDEES = 10;

/**
 * Many clients at once, through the gateway, to several processes of one invocation at a time each. There are as many
 * clients as processes, so that nobody waits for a process and the percentiles are of the work itself.
 */
export async function measureLoad(setting: Setting, { seconds }: { seconds: number }): Promise<Row[]> {
  const { api, description, env, standIn, token } = setting;
  const processes = await Promise.all(
    Array.from({ length: PROCESSES }, () => startBundle(HANDLER_DIRECTORY, { env })),
  );
  const idle = [...processes];
  const invoke = async (event: unknown) => {
    const process = idle.pop();
    if (process === undefined) throw new Error('There are more invocations than clients.');
    const { answers } = await process.run({ event, requests: 1 });
    idle.push(process);
    return answers[0];
  };
  const gateway = await startGateway(api, { port: 0, functions: new Map([[description.arn, { invoke }]]) });
  const { path, init } = request(token, ATTENDEES);
  const ask = async () => {
    const beforeMs = performance.now();
    const response = await fetch(gateway.url + path, init);
    const body = await response.text();
    return { statusCode: response.status, body, wallMs: performance.now() - beforeMs };
  };
  const clients = async (untilMs: number) => {
    const answers: Awaited<ReturnType<typeof ask>>[] = [];
    await Promise.all(
      Array.from({ length: PROCESSES }, async () => {
        do answers.push(await ask());
        while (performance.now() < untilMs);
      }),
    );
    return answers;
  };

  await standIn.setLatency({
    chime: { serviceMs: LATENCY.chimeMs, roundTripMs: 0 },
    dynamodb: { serviceMs: LATENCY.dynamodbMs, roundTripMs: 0 },
  });
  // Every process starts and answers some; what is measured is what comes after.
  await clients(performance.now() + 2_000);
  await standIn.take();
  const beforeMs = performance.now();
  const answers = await clients(beforeMs + seconds * 1_000);
  const tookMs = performance.now() - beforeMs;
  const taken = await standIn.take();
  await standIn.setLatency({});
  await gateway.close();
  await Promise.all(processes.map((process) => process.close()));
  checkAnswers(answers, ATTENDEES);
  checkAudit(taken, answers);

  const section = `under load: ${PROCESSES} processes, ${PROCESSES} clients, ${ATTENDEES} attendees, latency as above`;
  const sorted = answers.map(({ wallMs }) => wallMs).sort((a, b) => a - b);
  return [
    exact(section, 'batches', '', answers.length),
    exact(section, 'errors, and records that differ from the truth', '', 0),
    exact(section, 'batches a second', '1/s', (answers.length / tookMs) * 1_000),
    measured(section, 'latency', 'ms', summarize(sorted)),
    ...[90, 99].map((percent) =>
      exact(section, `latency, ${percent}th percentile`, 'ms', quantile(sorted, percent / 100)),
    ),
  ];
}
