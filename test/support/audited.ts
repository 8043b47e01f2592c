import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { IntentRecord, OutcomeRecord } from '../../lambda/audit/records.ts';
import type { RunningSystem } from './local.ts';

export interface AuditedBatch {
  batchId: string;
  meetingId: string;
  state: string;
  intent?: IntentRecord;
  outcome?: OutcomeRecord;
}

/** What `npm run audit` answers about the batches of a meeting. */
export async function auditedMeeting(system: RunningSystem, meetingId: string): Promise<AuditedBatch[]> {
  const found = (await audited(system, '--meeting', meetingId)) as AuditedBatch[];
  return found.filter(({ state }) => state !== 'NO_RECORD');
}

/** What `npm run audit` answers. @throws also where it finds nothing */
export async function audited(system: RunningSystem, ...question: string[]): Promise<unknown[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['cli/audit.ts', ...question, '--output', 'json'],
    {
      env: { PATH: process.env['PATH'], HOME: system.directory, USHER_LOCAL_DIR: system.directory },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return JSON.parse(stdout);
}
