import { describe, expect, it } from '@jest/globals';
import { CommanderError } from 'commander';
import { parseOptions } from '../../../cli/verify/options.ts';

function problemOf(...args: string[]): { exitCode: number; printed: string } {
  let printed = '';
  const write = (text: string) => {
    printed += text;
  };
  try {
    parseOptions(args, { writeErr: write, writeOut: write });
  } catch (error) {
    if (error instanceof CommanderError) return { exitCode: error.exitCode, printed };
    throw error;
  }
  throw new Error(`${args} was accepted.`);
}

describe('the options of verify:aws', () => {
  it('takes a stack, and every option for calling it', () => {
    const options = parseOptions([
      '--stack=usher-dev',
      '--region=eu-central-1',
      '--profile=ops',
      '--token-command=get-token',
      '--tenant=acme',
      '--tenant=globex',
      '--name-prefix=acme:',
    ]);
    expect(options).toEqual({
      stack: 'usher-dev',
      region: 'eu-central-1',
      profile: 'ops',
      tokenCommand: 'get-token',
      tenant: ['acme', 'globex'],
      namePrefix: 'acme:',
    });
  });

  it.each([
    ['neither a stack nor --local', [], 'name one --stack, or --local'],
    ['both a stack and --local', ['--local', '--stack=a'], 'name one --stack, or --local'],
    ['an empty stack name', ['--stack='], 'It must not be empty.'],
    [
      'two sources of the token',
      ['--stack=a', '--token-stdin', '--token-command=b'],
      '--token-command or --token-stdin, not both',
    ],
    ['an unknown option', ['--stack=a', '--force'], "unknown option '--force'"],
    ['a second argument', ['--stack=a', 'b'], 'too many arguments'],
  ])('rejects %s with 2', (_, args, problem) => {
    const { exitCode, printed } = problemOf(...args);
    expect(exitCode).toBe(2);
    expect(printed).toContain(problem);
  });
});
