import { runAudit } from './audit/run.ts';

// The command of the published package: `npx PACKAGE audit …`, bundled by scripts/build-package.ts.

const USAGE = `Usage: usher audit <question> [options]

Asks the audit of a deployed Usher: usher audit --help
`;

async function main([command, ...args]: string[]): Promise<number> {
  if (command === 'audit') return runAudit(args, process.env, 'usher audit');
  const isHelp = command === undefined || command === '--help' || command === 'help';
  (isHelp ? process.stdout : process.stderr).write(USAGE);
  return isHelp ? 0 : 2;
}

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
