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

/** What `npm run audit` answers about a meeting. */
export async function auditedMeeting(system: RunningSystem, meetingId: string): Promise<AuditedBatch[]> {
  return (await audited(system, '--meeting', meetingId)) as AuditedBatch[];
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
