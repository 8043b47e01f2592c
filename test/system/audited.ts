import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { IntentRecord, OutcomeRecord } from '../../lambda/audit-records.ts';
import type { RunningSystem } from '../local/support.ts';

export interface AuditedBatch {
  batchId: string;
  meetingId: string;
  state: string;
  intent?: IntentRecord;
  outcome?: OutcomeRecord;
}

/** What `npm run audit` tells of a meeting. */
export async function auditedMeeting(system: RunningSystem, meetingId: string): Promise<AuditedBatch[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['cli/audit.ts', '--meeting', meetingId, '--output', 'json'],
    { env: { PATH: process.env['PATH'], USHER_LOCAL_DIR: system.directory }, maxBuffer: 64 * 1024 * 1024 },
  );
  return JSON.parse(stdout);
}
