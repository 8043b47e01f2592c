import { Command, CommanderError, InvalidArgumentError, type OutputConfiguration } from 'commander';

/** What a command line asks for. */
export interface VerifyOptions {
  stack?: string;
  local?: true;
  region?: string;
  profile?: string;
  tokenCommand?: string;
  tokenStdin?: true;
  guestTokenCommand?: string;
  tenant: string[];
  namePrefix: string;
  origin?: string;
  apiUrl?: string;
  tokenEndpoint?: string;
}

const EXPLANATION = `
It creates meetings, adds attendees to them, and deletes them at the end. The audit keeps the records of that.
A command that prints a token finds the meeting's id in USHER_MEETING_ID.
Exit codes: 0 nothing failed, 1 something failed, 2 wrong use.
docs/first-deployment.md says what each check means and what it needs.`;

/**
 * @param args without the interpreter and the script
 * @param output where commander prints, if not on stdout and stderr
 * @throws CommanderError with the exit code, once commander has printed help or what is wrong
 */
export function parseOptions(args: string[], output: OutputConfiguration = {}): VerifyOptions {
  const command = new Command('npm run --silent verify:aws --')
    .usage('--stack NAME [options]')
    .description('Checks a deployed Usher from outside, and prints what passed and what failed.')
    .option('--stack <name>', 'the CloudFormation stack', some)
    .option('--local', 'what `npm start` runs here, instead of a stack')
    .option('--region <region>', "the stack's Region (default: the SDK's)", some)
    .option('--profile <name>', "a profile of AWS's configuration files", some)
    .option('--token-command <command>', 'prints a token whose caller may name anyone', some)
    .option('--token-stdin', 'reads that token from stdin')
    .option('--guest-token-command <command>', 'prints a token whose caller may name only itself', some)
    .option('--tenant <id>', 'a tenant of the token; can be repeated', collected, [])
    .option('--name-prefix <prefix>', 'the prefix that the issuer requires of every ExternalUserId', '')
    .option('--origin <origin>', 'a web origin that may call (default: the first that is configured)', some)
    .option('--api-url <url>', 'where the API is, if the stack does not say so', some)
    .option('--token-endpoint <url>', "where Cognito's tokens are, if the stack does not say so", some)
    .addHelpText('after', EXPLANATION)
    .showSuggestionAfterError(false)
    .configureOutput(output)
    .exitOverride();
  try {
    const options = command.parse(args, { from: 'user' }).opts<VerifyOptions>();
    if ((options.stack === undefined) === (options.local === undefined)) {
      command.error('error: name one --stack, or --local');
    }
    if (options.tokenCommand !== undefined && options.tokenStdin) {
      command.error('error: give --token-command or --token-stdin, not both');
    }
    return options;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new CommanderError(error.exitCode === 0 ? 0 : 2, error.code, error.message);
  }
}

function some(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

function collected(text: string, earlier: string[]): string[] {
  return [...earlier, some(text)];
}
