import type { AuditCommand } from './options.ts';
import type { Damage } from './readable.ts';
import type { AskedTables } from './tables.ts';

/** One run of the command. */
export interface Run {
  command: AuditCommand;
  tables: AskedTables;
  /** The tables and their place. */
  place: string;
  nowMs: number;
  /** The unreadable items so far. */
  damages: readonly Damage[];
  env: NodeJS.ProcessEnv;
  /** As typed. */
  typed: string;
}

/** The time that an answer covers. */
export function timeOf({ command: { range, question }, nowMs }: Run, looksBack: number | undefined): string {
  if (question.about === 'day') return `on ${question.day} UTC`;
  const sinceMs = range.sinceMs ?? looksBack;
  const until = timestamp(Math.min(range.untilMs ?? nowMs, Math.max(nowMs, sinceMs ?? 0)));
  return sinceMs === undefined
    ? `from the first record to ${until}`
    : `from ${timestamp(sinceMs)} to ${until}`;
}

function timestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
