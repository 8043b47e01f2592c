import type { Properties } from './cloudformation.ts';
import type { FunctionDescription } from './lambda/function-description.ts';

/** A function that is run again and again. */
export interface ScheduleDescription {
  functionArn: string;
  everyMs: number;
  /** So long after the beginning of an interval, which is counted from the hour; left out, from the start of the system. */
  offsetMs?: number;
  event: unknown;
}

/** What an event has to have: at each place one of these texts. */
export interface EventPattern {
  [member: string]: string[] | EventPattern;
}

/** A function that is run for each event that its pattern matches. */
export interface SubscriptionDescription {
  functionArn: string;
  pattern: EventPattern;
}

export interface RuleDescriptions {
  schedules: ScheduleDescription[];
  subscriptions: SubscriptionDescription[];
}

/** Reads a rule of EventBridge. @throws where it is none that runs here */
export function readRule(
  logicalId: string,
  { ScheduleExpression: expression, EventPattern: pattern, Targets: targets }: Properties,
  functions: readonly FunctionDescription[],
): RuleDescriptions {
  if ((expression === undefined) === (pattern === undefined)) {
    throw new Error(`The rule ${logicalId} needs a schedule or a pattern of events, and not both.`);
  }
  const runs = ((targets ?? []) as { Arn: string; Input?: string }[]).map(({ Arn: functionArn, Input }) => {
    if (!functions.some(({ arn }) => arn === functionArn)) {
      throw new Error(`The rule ${logicalId} has a target that is none of the stack's functions.`);
    }
    return { functionArn, input: Input };
  });
  if (pattern !== undefined) {
    const read = readPattern(logicalId, pattern);
    return {
      schedules: [],
      subscriptions: runs.map(({ functionArn, input }) => {
        if (input !== undefined)
          throw new Error(`The rule ${logicalId} replaces its events, which the local system cannot.`);
        return { functionArn, pattern: read };
      }),
    };
  }
  const interval = readInterval(logicalId, String(expression));
  return {
    schedules: runs.map(({ functionArn, input }) => ({
      functionArn,
      ...interval,
      event: JSON.parse(input ?? '{}'),
    })),
    subscriptions: [],
  };
}

const MINUTE_MS = 60_000;
const UNIT_MS: Record<string, number> = { minute: MINUTE_MS, hour: 3_600_000, day: 86_400_000 };

/**
 * A rate, or the one form of cron that says every so many minutes of an hour, from one of them on
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html).
 */
function readInterval(
  logicalId: string,
  expression: string,
): Pick<ScheduleDescription, 'everyMs' | 'offsetMs'> {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (count !== undefined && unit !== undefined)
    return { everyMs: Number(count) * (UNIT_MS[unit] as number) };
  const [, first, every] = /^cron\((\d+)\/(\d+) \* \* \* \? \*\)$/.exec(expression) ?? [];
  // Other steps begin anew with each hour, so that the last interval of an hour is shorter.
  if (first !== undefined && 60 % Number(every) === 0 && Number(first) < Number(every)) {
    return { everyMs: Number(every) * MINUTE_MS, offsetMs: Number(first) * MINUTE_MS };
  }
  throw new Error(
    `The rule ${logicalId} runs at ${expression}: the local system knows rate(n units) and cron(m/n * * * ? *), n a divisor of 60 and m below it.`,
  );
}

/** Exact values only (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html). */
function readPattern(logicalId: string, pattern: unknown): EventPattern {
  if (typeof pattern !== 'object' || pattern === null || Array.isArray(pattern))
    throw new Error(`The rule ${logicalId} has a pattern that the local system cannot read.`);
  return Object.fromEntries(
    Object.entries(pattern).map(([member, wanted]) => {
      if (!Array.isArray(wanted)) return [member, readPattern(logicalId, wanted)];
      if (wanted.every((value) => typeof value === 'string')) return [member, wanted];
      throw new Error(
        `The rule ${logicalId} matches ${member} by more than exact texts: the local system knows nothing else.`,
      );
    }),
  );
}

/** Whether an event has what a pattern asks for. */
export function matchesPattern(pattern: EventPattern, event: unknown): boolean {
  return Object.entries(pattern).every(([member, wanted]) => {
    const given = (event as Record<string, unknown> | null | undefined)?.[member];
    return Array.isArray(wanted) ? wanted.includes(given as string) : matchesPattern(wanted, given);
  });
}
