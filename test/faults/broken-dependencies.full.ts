import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  type Actor,
  type Answer,
  inLanes,
  type Lane,
  namesFor,
  reconcileAll,
  startLane,
} from '../support/faults/lane.ts';
import type { Intercept, Reply, Step } from '../support/faults/wire.ts';

/** Leaves Chime 2.5 seconds, and is what a request may take: the pool ends a process that takes longer. */
const TIMEOUT_SECONDS = 6;
/** Longer than anything waits for Chime or DynamoDB here. */
const LATE_MS = 3_500;

/** As the emulator's control endpoint takes them. */
const CHIME_FAULTS: Record<string, object | undefined> = {
  none: undefined,
  BadRequest: { status: 400, errorType: 'BadRequestException' },
  LimitExceeded: { status: 400, errorType: 'LimitExceededException' },
  Unauthorized: { status: 401, errorType: 'UnauthorizedException' },
  Forbidden: { status: 403, errorType: 'ForbiddenException' },
  NotFound: { status: 404, errorType: 'NotFoundException' },
  UnprocessableEntity: { status: 422, errorType: 'UnprocessableEntityException' },
  Throttling: { status: 429, errorType: 'ThrottlingException' },
  ServiceFailure: { status: 500, errorType: 'ServiceFailureException' },
  ServiceUnavailable: { status: 503, errorType: 'ServiceUnavailableException', retryAfterSeconds: 2 },
  'ServiceFailure after it acted': { status: 500, errorType: 'ServiceFailureException', when: 'after' },
  'ServiceUnavailable after it acted': {
    status: 503,
    errorType: 'ServiceUnavailableException',
    when: 'after',
  },
  'acts too late': { latencyMs: LATE_MS },
  'acts and answers too late': { latencyMs: LATE_MS, when: 'after' },
  'reset before it acted': { reset: true },
  'reset after it acted': { reset: true, when: 'after' },
  garbage: { garbage: true },
  'garbage after it acted': { garbage: true, when: 'after' },
  'an answer cut short': { truncate: true },
  'partial Errors': { partialErrors: { every: 2, errorCode: 'Throttled' } },
};

const PLACES: Record<string, (step: Step) => boolean> = {
  intent: ({ name }) => name.endsWith('intent'),
  admissions: ({ name }) => name.startsWith('BatchWriteItem'),
  outcome: ({ name }) => name.endsWith('outcome'),
};

type Fate = (step: Step, act: () => Promise<Reply>) => Promise<Reply | 'reset'>;

const KINDS: Record<string, Fate> = {
  throttled: async () => dynamodbError(400, 'ProvisionedThroughputExceededException'),
  failing: async () => dynamodbError(500, 'InternalServerError'),
  'reset before it acted': async () => 'reset',
  'reset after it acted': async (_, act) => {
    await act();
    return 'reset';
  },
};

const SLOW: Record<string, Fate> = {
  'acts too late': async (_, act) => {
    await pause(LATE_MS);
    return act();
  },
  'acts and answers too late': async (_, act) => {
    const reply = await act();
    await pause(LATE_MS);
    return reply;
  },
};

interface DynamodbFault {
  name: string;
  at: (step: Step) => boolean;
  /** The SDK makes three attempts: one fault, and it may get through. */
  times: number;
  fate: Fate;
}

const DYNAMODB_FAULTS: DynamodbFault[] = [
  { name: 'none', at: () => false, times: 0, fate: (_, act) => act() },
  ...Object.entries(PLACES).flatMap(([place, at]) => [
    ...Object.entries(KINDS).flatMap(([kind, fate]) =>
      [1, Number.POSITIVE_INFINITY].map((times) => ({
        name: `${place} ${kind}, ${times === 1 ? 'once' : 'always'}`,
        at,
        times,
        fate,
      })),
    ),
    ...Object.entries(SLOW).map(([kind, fate]) => ({ name: `${place} ${kind}`, at, times: 1, fate })),
  ]),
  {
    name: 'admissions not taken',
    at: PLACES['admissions'] as DynamodbFault['at'],
    times: Number.POSITIVE_INFINITY,
    fate: async ({ body }) => json(200, { UnprocessedItems: body?.['RequestItems'] }),
  },
];

const LOOKUP_FAULTS: Record<string, object> = {
  failing: { status: 500, errorType: 'ServiceFailureException' },
  throttled: { status: 429, errorType: 'ThrottlingException' },
  forbidden: { status: 403, errorType: 'ForbiddenException' },
  reset: { reset: true },
  garbage: { garbage: true },
  'too late': { latencyMs: LATE_MS },
};

describe('broken dependencies', () => {
  it('end in time with a modelled error, and lose nothing, in all pairs of a Chime and a DynamoDB fault', async () => {
    const problems: string[] = [];
    const answers = new Map<number, number>();
    let pairs = 0;
    let longestMs = 0;
    let repeated = 0;
    await inLanes(Object.entries(CHIME_FAULTS), 8, async ([chimeFault, fault]) => {
      const lane = await startLane({ timeoutSeconds: TIMEOUT_SECONDS });
      try {
        const handler = await lane.startActor('handler');
        // One meeting, so that one look tells of all of them; every pair has names of its own.
        const meetingId = await lane.createMeeting(`Chime: ${chimeFault}`);
        for (const [index, dynamodbFault] of DYNAMODB_FAULTS.entries()) {
          pairs += 1;
          const about = `Chime: ${chimeFault}, DynamoDB: ${dynamodbFault.name}`;
          const { answer, tookMs, tries } = await tryPair(fault, dynamodbFault, {
            lane,
            handler,
            event: (names) => lane.eventFor(meetingId, namesFor(`pair-${index}-${names}`, 2)),
          });
          repeated += tries - 1;
          longestMs = Math.max(longestMs, tookMs);
          if (answer === undefined) {
            problems.push(`${about}: no answer`);
            continue;
          }
          answers.set(answer.statusCode, (answers.get(answer.statusCode) ?? 0) + 1);
          const found = await lane.problemsOfAnswer(meetingId, answer);
          problems.push(...found.map((problem) => `${about}: ${problem}`));
        }
        handler.intercept((_, act) => act());
        await lane.control('faults', { method: 'DELETE' });
        // What came too late comes now.
        await pause(LATE_MS);
        await reconcileAll(lane);
        problems.push(...(await lane.problems()));
      } finally {
        await lane.close();
      }
    });
    expect(problems).toEqual([]);
    expect(pairs).toBe(640);
    // Where both are whole, and where DynamoDB gets through at the second attempt.
    expect(answers.get(200)).toBeGreaterThan(1);
    const counts = [...answers].map(([status, count]) => `${count} x ${status}`).join(', ');
    console.log(
      `${pairs} pairs: ${counts}; the longest took ${Math.round(longestMs)} ms of ${TIMEOUT_SECONDS} s; ${repeated} repeated`,
    );
  }, 900_000);

  it.each(Object.entries(LOOKUP_FAULTS))(
    'a look-up of the meeting that is %s requests no attendee from Chime',
    async (_, fault) => {
      const lane = await startLane({ timeoutSeconds: TIMEOUT_SECONDS });
      try {
        const handler = await lane.startActor('handler');
        const meetingId = await lane.createMeeting('lookup');
        await addFault(lane, 'GetMeeting', fault);
        const answer = await answerOf(handler, lane.eventFor(meetingId, namesFor('guest', 2)));
        expect([429, 503]).toContain(answer?.statusCode);
        expect(await lane.problemsOfAnswer(meetingId, answer as Answer)).toEqual([]);
        const { calls } = await lane.control<{ calls: { operation: string }[] }>('calls');
        expect(calls.map(({ operation }) => operation)).toEqual(['CreateMeeting', 'GetMeeting']);
        expect(await lane.problems()).toEqual([]);
      } finally {
        await lane.close();
      }
    },
    60_000,
  );
});

/** On a machine with too much to do, a process may be ended that did nothing wrong: a pair has three tries. */
async function tryPair(
  fault: object | undefined,
  dynamodbFault: DynamodbFault,
  { lane, handler, event }: { lane: Lane; handler: Actor; event(names: number): unknown },
) {
  for (let tries = 1; ; tries += 1) {
    await lane.control('faults', { method: 'DELETE' });
    await addFault(lane, 'BatchCreateAttendee', fault);
    handler.intercept(breaking(dynamodbFault));
    const beganMs = performance.now();
    const answer = await answerOf(handler, event(tries));
    if (answer !== undefined) return { answer, tookMs: performance.now() - beganMs, tries };
    if (tries === 3) return { answer, tookMs: 0, tries };
  }
}

function breaking({ at, times, fate }: DynamodbFault): Intercept {
  let count = 0;
  return (step, act) => {
    if (step.service !== 'dynamodb' || !at(step) || count >= times) return act();
    count += 1;
    return fate(step, act);
  };
}

async function addFault(lane: Lane, operation: string, fault: object | undefined): Promise<void> {
  if (fault !== undefined) {
    await lane.control('faults', { method: 'POST', body: JSON.stringify({ operation, ...fault }) });
  }
}

/** @returns undefined where the process was ended because it took too long */
async function answerOf(handler: Actor, event: unknown): Promise<Answer | undefined> {
  return (await handler.invoke(event).catch(() => undefined)) as Answer | undefined;
}

function dynamodbError(status: number, name: string): Reply {
  return json(status, { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'Injected fault' });
}

function json(status: number, body: object): Reply {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: Buffer.from(JSON.stringify(body)),
  };
}
