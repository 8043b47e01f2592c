import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { installTool } from './install-tool.ts';

// node scripts/tool.ts NAME COMMAND ARGUMENT…: runs a command of tools/NAME, which is installed first if needed.
const [name, command, ...args] = process.argv.slice(2);
if (name === undefined || command === undefined) {
  throw new Error(
    'Give a folder in tools/ and one of its commands, such as `node scripts/tool.ts mutate stryker run`.',
  );
}
const { status } = spawnSync(join(installTool(name), 'node_modules/.bin', command), args, {
  stdio: 'inherit',
  // A tool starts the Node that runs this.
  env: { ...process.env, PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) },
  shell: process.platform === 'win32',
});
process.exitCode = status ?? 1;
