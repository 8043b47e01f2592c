import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const COMMAND = fileURLToPath(new URL('../../cli/audit.ts', import.meta.url));
/** The audit command's exit code for a meeting without records: the page says so. */
const NOTHING_FOUND = 3;

/**
 * Makes the page of `npm run audit -- --meeting ID --report FILE`, by running that command: the command line imports
 * the local system, not the other way round.
 *
 * @param directory of the local system's state
 */
export function createReport(directory: string): (meetingId: string) => Promise<string> {
  return async (meetingId) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'usher-report-'));
    const file = path.join(folder, 'report.html');
    try {
      await promisify(execFile)(process.execPath, [COMMAND, '--meeting', meetingId, '--report', file], {
        env: { ...process.env, USHER_LOCAL_DIR: directory },
      }).catch((error) => {
        if (error.code !== NOTHING_FOUND) throw new Error(`No report of meeting ${meetingId} could be made.`);
      });
      return await readFile(file, 'utf8');
    } finally {
      await rm(folder, { recursive: true });
    }
  };
}
