import { Command } from 'commander';
import { readLocalEnvironment, stateDirectory } from '../local/environment.ts';
import { survivePipedHelp } from '../local/output.ts';

interface MeetingOptions {
  name: string;
  tenant: string[];
}

const TIMEOUT_MS = 10_000;

async function main(): Promise<void> {
  const options = new Command('npm run --silent meeting --')
    .description('Creates a meeting in the running local system, and prints its id and the page to join it.')
    .option('--name <name>', 'its ExternalMeetingId, 2 to 64 characters', 'usher-local')
    .option(
      '--tenant <tenant>',
      'whose meeting it is; repeatable, up to 5 (default: acme)',
      (tenant: string, earlier: string[]) => [...earlier, tenant],
      [],
    )
    .parse()
    .opts<MeetingOptions>();
  const { pageUrl } = readLocalEnvironment(stateDirectory(process.env));
  const tenants = options.tenant.length > 0 ? options.tenant : ['acme'];
  const meetingId = await createMeeting(pageUrl, { name: options.name, tenants });
  console.log(`${meetingId}\n${pageUrl}/?meeting=${meetingId}`);
}

/** @throws in one line if the system does not answer, or refuses the name or the tenants */
async function createMeeting(pageUrl: string, meeting: { name: string; tenants: string[] }): Promise<string> {
  const response = await fetch(`${pageUrl}/local/meetings`, {
    method: 'POST',
    body: JSON.stringify(meeting),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => {
    throw new Error('The local system does not answer: check that `npm start` is still running.');
  });
  const answered = (await response.json()) as { meetingId: string; error?: string };
  if (answered.error !== undefined) throw new Error(answered.error);
  return answered.meetingId;
}

survivePipedHelp();
try {
  await main();
} catch (error) {
  console.error(`usher: ${(error as Error).message}`);
  process.exitCode = 1;
}
