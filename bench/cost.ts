import { PRICES } from './prices.ts';
import { startBundle } from './processes.ts';
import { exact, type Row } from './report.ts';
import { writeUnits } from './request-units.ts';
import { HANDLER_DIRECTORY, type Setting } from './setting.ts';
import { LATENCY, plural } from './warm.ts';

/** Where Lambda gives one whole core (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). */
const MB_OF_A_CORE = 1769;
const MEMORY_SIZES_MB = [128, 192, 256, 384, 512, 768, 1024, 1536, 1769];
/** What must be left above what the process was seen to take. */
const HEADROOM = 1.3;

/**
 * What a million batches of one size cost: the duration is the waiting for Chime and DynamoDB plus the measured CPU,
 * stretched by the share of a core that a memory size gives.
 *
 * @param measuredRows the rows of the other sections, in which the CPU and the memory are looked up
 */
export async function measureCost(setting: Setting, measuredRows: readonly Row[]): Promise<Row[]> {
  const rows: Row[] = [];
  const value = (name: RegExp) => measuredRows.find((row) => name.test(row.name))?.median ?? Number.NaN;
  const residentMb = value(/^resident after/);
  for (const attendees of [1, 10, 100]) {
    const section = `cost of a million batches, reckoned: ${plural(attendees)}`;
    const { intents, outcomes, admissions } = await unitsOfOneBatch(setting, attendees);
    const units = intents + outcomes + admissions;
    const cpuMs = value(new RegExp(`^CPU, function, ${plural(attendees)}$`));
    // Intent, admissions, outcome.
    const waitMs = LATENCY.chimeMs + 3 * LATENCY.dynamodbMs;
    const gbSeconds = (memoryMb: number) =>
      (memoryMb / 1024) * (waitMs + cpuMs / Math.min(1, memoryMb / MB_OF_A_CORE)) * 1_000;
    const fitting = MEMORY_SIZES_MB.filter((memoryMb) => memoryMb >= residentMb * HEADROOM);
    const [best = Number.NaN] = fitting.toSorted((a, b) => gbSeconds(a) - gbSeconds(b));
    const lambda = gbSeconds(best) * PRICES.lambdaGbSecond + PRICES.lambdaMillionRequests;
    const dynamodb = units * PRICES.dynamodbMillionWrites;
    rows.push(
      exact(section, 'best memory size', 'MB', best),
      exact(section, 'GB-seconds', 'GB-s', gbSeconds(best)),
      exact(section, 'GB-seconds with 1024 MB', 'GB-s', gbSeconds(1024)),
      exact(section, 'write units: intent', 'M', intents),
      exact(section, 'write units: outcome', 'M', outcomes),
      exact(section, 'write units: admissions', 'M', admissions),
      exact(section, 'Lambda', '$', lambda),
      exact(section, 'DynamoDB writes', '$', dynamodb),
      exact(section, 'API Gateway', '$', PRICES.gatewayMillionRequests),
      exact(section, 'together', '$', lambda + dynamodb + PRICES.gatewayMillionRequests),
    );
  }
  return rows;
}

async function unitsOfOneBatch(setting: Setting, attendees: number) {
  const process = await startBundle(HANDLER_DIRECTORY, { env: setting.env });
  await process.run({ event: await setting.eventFor(attendees), requests: 1 });
  await process.close();
  return writeUnits(await setting.standIn.take());
}
