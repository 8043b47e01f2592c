import { createHash } from 'node:crypto';
import { z } from 'zod';
import { MEDIA_CAPABILITIES } from './meetings.ts';
import { OPERATION_NAMES, type OperationName } from './operation-names.ts';
import { type Answer, errorAnswer } from './wire-errors.ts';

const capabilities = z.strictObject({
  Audio: z.enum(MEDIA_CAPABILITIES),
  Video: z.enum(MEDIA_CAPABILITIES),
  Content: z.enum(MEDIA_CAPABILITIES),
});
const names = z.array(z.string()).min(1);

const members = z.strictObject({
  operation: z.enum(OPERATION_NAMES).optional(),
  times: z.int().min(1).optional(),
  probability: z.number().gt(0).max(1).optional(),
  seed: z.int().optional(),
  when: z.enum(['before', 'after']).optional(),
  latencyMs: z.int().min(0).max(600_000).optional(),
  status: z.int().min(200).max(599).optional(),
  errorType: z
    .string()
    .regex(/^[A-Za-z]+$/)
    .optional(),
  message: z.string().optional(),
  retryAfterSeconds: z.int().min(0).optional(),
  reset: z.literal(true).optional(),
  garbage: z.literal(true).optional(),
  truncate: z.literal(true).optional(),
  partialErrors: z
    .strictObject({
      externalUserIds: names.optional(),
      every: z.int().min(1).optional(),
      errorCode: z.string(),
      errorMessage: z.string().default('Injected fault'),
    })
    .optional(),
  extraAttendee: z
    .strictObject({ externalUserId: z.string(), capabilities: capabilities.optional() })
    .transform((extra) => ({
      ExternalUserId: extra.externalUserId,
      ...(extra.capabilities && { Capabilities: extra.capabilities }),
    }))
    .optional(),
  alteredCapabilities: z.strictObject({ externalUserIds: names.optional(), capabilities }).optional(),
});

const EFFECTS = [
  'errorType',
  'reset',
  'garbage',
  'truncate',
  'partialErrors',
  'extraAttendee',
  'alteredCapabilities',
];
const ONLY_AFTER = ['truncate', 'extraAttendee', 'alteredCapabilities'];
const ONLY_BATCH = ['partialErrors', 'extraAttendee', 'alteredCapabilities'];

/** The only two effects that can be combined: then the error is cut short, not the answer. */
function isCutError(fault: object): boolean {
  return effectsOf(fault).join() === 'errorType,truncate';
}

type Members = z.infer<typeof members>;

function effectsOf(fault: object): string[] {
  return EFFECTS.filter((effect) => effect in fault);
}

/** The rules between the members of a fault, each with its message. */
const RULES: [holds: (fault: Members) => boolean, problem: string][] = [
  [
    (fault) => effectsOf(fault).length <= 1 || isCutError(fault),
    `only one of ${EFFECTS.join(', ')}, or errorType with truncate`,
  ],
  [
    (fault) => effectsOf(fault).length > 0 || fault.latencyMs !== undefined || fault.status !== undefined,
    `one of ${EFFECTS.join(', ')}, or latencyMs, is required`,
  ],
  [
    ({ errorType, status = 0 }) => errorType === undefined || status >= 400,
    'errorType needs a status from 400 on',
  ],
  [
    ({ errorType, status, garbage }) => status === undefined || errorType !== undefined || garbage === true,
    'status needs errorType or garbage',
  ],
  [
    ({ errorType, message, retryAfterSeconds }) =>
      (message ?? retryAfterSeconds) === undefined || errorType !== undefined,
    'message and retryAfterSeconds need errorType',
  ],
  [({ seed, probability }) => seed === undefined || probability !== undefined, 'seed needs probability'],
  [
    (fault) => fault.when !== 'before' || !actsFirst(fault) || isCutError(fault),
    `${ONLY_AFTER.join(', ')} change the answer, so they need when: after`,
  ],
  [
    (fault) => (fault.operation ?? 'BatchCreateAttendee') === 'BatchCreateAttendee' || !isOfBatch(fault),
    `${ONLY_BATCH.join(', ')} are for BatchCreateAttendee only`,
  ],
];

function actsFirst(fault: object): boolean {
  return ONLY_AFTER.some((effect) => effect in fault);
}

function isOfBatch(fault: object): boolean {
  return ONLY_BATCH.some((effect) => effect in fault);
}

/** A fault as `POST /_emulator/faults` takes it; the table is at the top of `server.ts`. */
export const faultSchema = members
  .superRefine((fault, context) => {
    for (const [holds, problem] of RULES) {
      if (!holds(fault)) context.addIssue({ code: 'custom', message: problem });
    }
  })
  .transform((fault) => ({
    ...fault,
    operation: isOfBatch(fault) ? ('BatchCreateAttendee' as const) : fault.operation,
    when: fault.when ?? (actsFirst(fault) && !isCutError(fault) ? 'after' : 'before'),
  }));

export type Fault = z.infer<typeof faultSchema>;

interface ArmedFault {
  id: number;
  fault: Fault;
  considered: number;
  applied: number;
}

export type Faults = ReturnType<typeof createFaults>;

/** The active faults, in the order in which they were added. */
export function createFaults() {
  let armed: ArmedFault[] = [];
  let lastId = 0;

  return {
    add(fault: Fault) {
      lastId += 1;
      const added = { id: lastId, fault, considered: 0, applied: 0 };
      armed.push(added);
      return description(added);
    },

    /**
     * The fault for one call, used up by one: the first that is for its operation, has uses left, and whose probability
     * applies.
     */
    take(operation: OperationName): Fault | undefined {
      const found = armed.find((candidate) => {
        const { fault } = candidate;
        if (fault.operation !== undefined && fault.operation !== operation) return false;
        if (fault.times !== undefined && candidate.applied >= fault.times) return false;
        candidate.considered += 1;
        return (
          fault.probability === undefined || draw(fault.seed ?? 1, candidate.considered) < fault.probability
        );
      });
      if (found) found.applied += 1;
      return found?.fault;
    },

    list: () => armed.map(description),

    clear(): void {
      armed = [];
    },
  };
}

function description({ id, fault, applied }: ArmedFault) {
  const remaining = fault.times === undefined ? null : fault.times - applied;
  return { id, ...fault, applied, remaining };
}

/** The n-th number of a seed, in [0, 1): the same on every machine, so that a run can be repeated. */
function draw(seed: number, n: number): number {
  return createHash('sha256').update(`${seed}/${n}`).digest().readUInt32BE(0) / 2 ** 32;
}

/** Whether the fault replaces the operation's answer; with `when` before, the operation then does not act. */
export function replacesAnswer(fault: Fault): boolean {
  return fault.errorType !== undefined || fault.garbage === true || fault.reset === true;
}

/** The answer of a fault that replaces the operation's; a reset has none. */
export function faultAnswer(fault: Fault, requestId: string): Answer | undefined {
  if (fault.reset) return undefined;
  if (fault.errorType !== undefined && fault.status !== undefined) {
    const { status, errorType, message = 'Injected fault', retryAfterSeconds } = fault;
    return errorAnswer({ status, errorType, message, retryAfterSeconds }, requestId);
  }
  return {
    status: fault.status ?? 200,
    headers: { 'Content-Type': 'text/html' },
    body: '<html><body>Not what you expected.</body></html>',
  };
}
