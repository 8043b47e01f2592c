import { rmSync } from 'node:fs';
import { Command } from 'commander';
import { claimStateDirectory, type LocalEnvironment, stateDirectory } from './environment.ts';
import { survivePipedHelp } from './output.ts';
import { DEFAULT_PORT } from './ports.ts';
import { type LocalSystemOptions, startLocalSystem } from './system.ts';
import { createTerminal } from './terminal.ts';

survivePipedHelp();

const program = new Command('npm start --')
  .description('Runs Usher on this machine, without an AWS account, until it is interrupted.')
  .option('--config <file>', 'the configuration of the environment to run', 'config/local.json')
  .option('--fresh', 'delete the data that earlier runs kept in .local/data', false)
  .option('--json', 'print what the functions log as JSON lines instead of readable text', false)
  .addHelpText(
    'after',
    `
Environment variables:
  PORT                                  the API's port; the other servers use the ports after it; 0 picks free ports (default: ${DEFAULT_PORT}
                                        to ${DEFAULT_PORT + 4}, or a free one in place of each that is in use)
  USHER_LOCAL_DIR                       where environment.json, the log and the data are (default: .local)
  USHER_LOCAL_DATA                      "memory": nothing is kept between starts
  USHER_LOCAL_CONCURRENCY               the most handler processes (default: 4)
  USHER_LOCAL_SCHEDULE                  "off": the reconciler runs by \`npm run reconcile\` only
  AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS   a Chime to use instead of the emulator
  AWS_ENDPOINT_URL_DYNAMODB             a DynamoDB to use instead of a local one`,
  )
  .parse();

interface Flags {
  config: string;
  fresh: boolean;
  json: boolean;
}

const flags = program.opts<Flags>();

try {
  const port = wholeNumber('PORT', 0, 65_531);
  await run({
    configFile: flags.config,
    port: port ?? DEFAULT_PORT,
    orFree: port === undefined,
    concurrency: wholeNumber('USHER_LOCAL_CONCURRENCY', 1, 1000) ?? 4,
    schedule: process.env['USHER_LOCAL_SCHEDULE'] !== 'off',
    env: process.env,
  });
} catch (error) {
  console.error(`usher: ${explain(error as NodeJS.ErrnoException)}`);
  process.exitCode = 1;
}

async function run(
  options: Omit<LocalSystemOptions, 'assemblyDirectory' | 'dataDirectory' | 'terminal'>,
): Promise<void> {
  const interrupted = interruption();
  const state = claimStateDirectory(stateDirectory(options.env));
  try {
    const { assemblyDirectory, dataDirectory, logFile } = state;
    if (flags.fresh) rmSync(dataDirectory, { recursive: true, force: true });
    const system = await startLocalSystem({
      ...options,
      assemblyDirectory,
      ...(options.env['USHER_LOCAL_DATA'] !== 'memory' && { dataDirectory }),
      terminal: createTerminal({ json: flags.json, logFile, print: console.log }),
    });
    try {
      state.publish(system.environment);
      console.log(banner(system.environment, options.env));
      await interrupted;
    } finally {
      await system.close();
    }
  } finally {
    state.release();
  }
}

/** The first signal ends everything in order; a second one ends the process at once. */
function interruption(): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    const onSignal = () => (++signals === 1 ? resolve() : process.exit(1));
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
    // npm hands SIGTERM to the shell between it and us, and the shell dies without a word.
    const parent = process.ppid;
    const watch = () => process.ppid !== parent && resolve();
    if (process.env['npm_lifecycle_event'] === 'start') setInterval(watch, 200).unref();
  });
}

function wholeNumber(name: string, least: number, most: number): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`${name} must be a whole number from ${least} to ${most}, not "${text}".`);
}

function explain(error: NodeJS.ErrnoException & { port?: number }): string {
  return error.code === 'EADDRINUSE'
    ? `The port ${error.port} is in use: set PORT to another one, or leave it out.`
    : error.message.replace(/\s+/g, ' ');
}

function banner(environment: LocalEnvironment, env: NodeJS.ProcessEnv): string {
  const { apiUrl, tableName, chimeUrl, dynamodbUrl, s3Url, issuer, pageUrl } = environment;
  const meetingId = environment.meetingId ?? 'MEETING_ID';
  const directory = env['USHER_LOCAL_DIR'] ? `USHER_LOCAL_DIR='${env['USHER_LOCAL_DIR']}' ` : '';
  const token =
    environment.signUrl === undefined
      ? 'TOKEN'
      : `$(${directory}npm run --silent token -- --sub alice --scope attendees.create)`;
  const lines = [
    'Usher runs on this machine. Ctrl-C ends it.',
    '',
    `  Page      ${pageUrl}   <- open this one`,
    `  Contract  ${pageUrl}/contract/`,
    `  API       ${apiUrl}`,
    `  Chime     ${chimeUrl}`,
    `  DynamoDB  ${dynamodbUrl}`,
    `  S3        ${s3Url}`,
    `  Issuer    ${issuer}`,
    `  Table     ${tableName}`,
    `  Meeting   ${environment.meetingId ?? '(none could be created)'}`,
    '',
    'Let alice in, from another terminal in this folder:',
    '',
    `  curl -sS -H "Authorization: Bearer ${token}" -H 'Content-Type: application/json' -d '{"Attendees":[{"ExternalUserId":"alice"}]}' '${apiUrl}/meetings/${meetingId}/attendees?operation=batch-create'`,
    '',
    'Ask who was let in:',
    '',
    `  ${directory}npm run --silent audit -- --meeting ${meetingId}`,
    '',
    'Create another meeting:',
    '',
    `  ${directory}npm run --silent meeting -- --name board --tenant acme`,
    '',
  ];
  return lines.join('\n');
}
