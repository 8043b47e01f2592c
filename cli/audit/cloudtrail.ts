import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import * as z from 'zod/mini';
import { beginningOfBatch } from '../../lambda/audit/batch-id.ts';
import { type Batch, timeOfBatch } from './batches.ts';
import { isGuid } from './inputs.ts';
import { batchesWithKeys, keysOver } from './questions.ts';
import type { AskedTables } from './tables.ts';
import type { Range } from './times.ts';
import type { State } from './words.ts';

// CloudTrail logs every call to Chime, in the account that makes it, and Usher cannot write there: a check of
// completeness that does not depend on Usher (https://docs.aws.amazon.com/chime-sdk/latest/ag/cloudtrail.html).

/** A call to BatchCreateAttendee, as CloudTrail logs it. */
export interface ChimeCall {
  requestId: string;
  /** When the call was completed, in milliseconds since the epoch. */
  timeMs: number;
  meetingId?: string;
  role?: string;
  errorCode?: string;
}

/**
 * A call without its record, or a record without its call. `call of an unfinished batch`: no record has the call's
 * request id, but it may belong to a batch that the handler could not finish, whose record lacks one.
 */
export interface CallDifference {
  difference: 'call without a record' | 'record without a call' | 'call of an unfinished batch';
  time: string;
  chimeRequestId?: string;
  batchId?: string;
  meetingId?: string;
  state?: State;
  role?: string;
  errorCode?: string;
}

export interface CallCounts {
  calls: number;
  records: number;
  matched: number;
  withoutRecord: number;
  withoutCall: number;
  unfinished: number;
}

export const NO_CALL_COUNTS: CallCounts = {
  ...{ calls: 0, records: 0, matched: 0 },
  ...{ withoutRecord: 0, withoutCall: 0, unfinished: 0 },
};

/** A request ends within 20 s; clocks may differ by some seconds, and CloudTrail rounds to whole seconds. */
const CALL_WITHIN_MS = 30_000;

/** CloudTrail user guide, "CloudTrail record contents" and "CloudTrail userIdentity element". */
const file = z.looseObject({ Records: z.array(z.looseObject({})) });
const event = z.looseObject({
  eventName: z.literal('BatchCreateAttendee'),
  eventSource: z.string(),
  eventTime: z.string(),
  requestID: z.string(),
  errorCode: z.optional(z.string()),
  requestParameters: z.optional(z.nullable(z.looseObject({ meetingId: z.optional(z.string()) }))),
  userIdentity: z.optional(
    z.looseObject({
      sessionContext: z.optional(
        z.looseObject({ sessionIssuer: z.optional(z.looseObject({ userName: z.optional(z.string()) })) }),
      ),
    }),
  ),
});

/**
 * Reads the calls to BatchCreateAttendee from log files as CloudTrail delivers them: JSON, gzipped or not.
 *
 * @param role only the calls of this role
 * @throws for a file that is not CloudTrail's, with its name
 */
export async function readCalls(files: readonly string[], role: string | undefined): Promise<ChimeCall[]> {
  const calls = new Map<string, ChimeCall>();
  for (const name of files) {
    for (const record of (await readFileOfCloudTrail(name)).Records) {
      const read = event.safeParse(record);
      if (!read.success || !read.data.eventSource.startsWith('chime')) continue;
      const { requestID, eventTime, errorCode, requestParameters, userIdentity } = read.data;
      const meetingId = requestParameters?.meetingId;
      const caller = userIdentity?.sessionContext?.sessionIssuer?.userName;
      if (role !== undefined && caller !== role) continue;
      calls.set(requestID, {
        requestId: requestID,
        timeMs: Date.parse(eventTime),
        // May be redacted.
        ...(meetingId !== undefined && isGuid(meetingId) && { meetingId: meetingId.toLowerCase() }),
        ...(caller !== undefined && { role: caller }),
        ...(errorCode !== undefined && { errorCode }),
      });
    }
  }
  return [...calls.values()].sort((one, other) => one.timeMs - other.timeMs);
}

async function readFileOfCloudTrail(name: string): Promise<z.infer<typeof file>> {
  const bytes = await readFile(name);
  try {
    const isGzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return file.parse(JSON.parse((isGzipped ? await promisify(gunzip)(bytes) : bytes).toString('utf8')));
  } catch {
    throw new Error(
      `${name} is not a CloudTrail log file: it must be JSON, gzipped or not, with an array Records.`,
    );
  }
}

/** The time span of calls, or the given range. @returns undefined without calls and range */
export function spanOf(
  calls: readonly ChimeCall[],
  range: Range,
): { sinceMs: number; untilMs: number } | undefined {
  const sinceMs = range.sinceMs ?? calls[0]?.timeMs;
  const untilMs = range.untilMs ?? (calls.at(-1) && (calls.at(-1) as ChimeCall).timeMs + 1000);
  return sinceMs === undefined || untilMs === undefined || sinceMs >= untilMs
    ? undefined
    : { sinceMs, untilMs };
}

/**
 * Compares calls with the records of a time, by Chime's request id.
 *
 * @param counts updated along the way
 */
export async function* compareCalls(
  tables: AskedTables,
  calls: readonly ChimeCall[],
  span: { sinceMs: number; untilMs: number },
  nowMs: number,
  counts: CallCounts,
): AsyncGenerator<CallDifference> {
  const left = new Map(
    calls
      .filter(({ timeMs }) => span.sinceMs <= timeMs && timeMs < span.untilMs)
      .map((call) => [call.requestId, call]),
  );
  counts.calls = left.size;
  const unfinished: Batch[] = [];
  const begun = { sinceMs: span.sinceMs - CALL_WITHIN_MS, untilMs: span.untilMs };
  for await (const batch of batchesWithKeys(tables, keysOver(tables, begun, nowMs))) {
    const chimeRequestId = batch.outcome?.chimeRequestId;
    if (chimeRequestId === undefined) {
      if (batch.outcome?.writtenBy !== 'handler') unfinished.push(batch);
    } else if (left.delete(chimeRequestId)) {
      counts.matched += 1;
      counts.records += 1;
    } else if (isWithin(batch, span)) {
      counts.records += 1;
      counts.withoutCall += 1;
      const { batchId, meetingId, state } = batch;
      yield {
        difference: 'record without a call',
        time: timeOfBatch(batchId),
        chimeRequestId,
        batchId,
        meetingId,
        state,
      };
    }
  }
  for (const call of left.values()) {
    const batch = takeUnfinished(unfinished, call);
    counts[batch === undefined ? 'withoutRecord' : 'unfinished'] += 1;
    yield differenceOf(call, batch);
  }
}

/** Whether the call of a batch must have been completed within a time. */
function isWithin(
  { batchId, outcome }: Batch,
  { sinceMs, untilMs }: { sinceMs: number; untilMs: number },
): boolean {
  const recordedMs = Date.parse(outcome?.recordedAt ?? '');
  const endMs = Number.isNaN(recordedMs) ? beginningOfBatch(batchId) + CALL_WITHIN_MS : recordedMs;
  return beginningOfBatch(batchId) >= sinceMs && endMs < untilMs;
}

/** Each batch explains one call. */
function takeUnfinished(unfinished: Batch[], call: ChimeCall): Batch | undefined {
  const index = unfinished.findIndex(({ batchId, meetingId }) => {
    const sinceMs = call.timeMs - beginningOfBatch(batchId);
    const isItsMeeting = call.meetingId === undefined || call.meetingId === meetingId;
    return isItsMeeting && sinceMs > -CALL_WITHIN_MS && sinceMs < CALL_WITHIN_MS;
  });
  return index < 0 ? undefined : unfinished.splice(index, 1)[0];
}

function differenceOf(
  { requestId, timeMs, meetingId, role, errorCode }: ChimeCall,
  batch: Batch | undefined,
) {
  const time = new Date(timeMs).toISOString();
  const difference = batch === undefined ? 'call without a record' : 'call of an unfinished batch';
  return {
    ...({ difference, time, chimeRequestId: requestId } as const),
    ...(batch && { batchId: batch.batchId, state: batch.state }),
    ...(meetingId !== undefined && { meetingId }),
    ...(role !== undefined && { role }),
    ...(errorCode !== undefined && { errorCode }),
  };
}
