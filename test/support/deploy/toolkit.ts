import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const TIMEOUT_MS = 90_000;

/** The CDK command line, with these configurations. */
export interface Toolkit {
  /** Writes `config/<env>.json`. */
  configure(env: string, config: object): void;
  /** @returns all that it printed. @throws with it where the command fails */
  cdk(env: string, command: string, ...args: string[]): Promise<string>;
  /** @returns the stack's outputs, and all that was printed */
  deploy(env: string): Promise<{ outputs: Record<string, string>; printed: string }>;
}

/** @param environment of the commands, beside what they need of this machine */
export function createToolkit(directory: string, environment: Record<string, string>): Toolkit {
  const app = path.join(directory, 'app');
  mkdirSync(path.join(app, 'config'), { recursive: true });
  const commands = ['bin/usher.ts', 'test/support/deploy/fit-template.ts'].map(
    (file) => `node "${path.join(PROJECT, file)}"`,
  );

  function cdk(env: string, command: string, ...args: string[]): Promise<string> {
    const options = [`--context=env=${env}`, `--app=${commands.join(' && ')}`, '--no-notices', '--ci'];
    return new Promise((resolve, reject) => {
      execFile(
        process.execPath,
        [path.join(PROJECT, 'node_modules/aws-cdk/bin/cdk'), command, ...args, ...options],
        {
          cwd: app,
          env: { PATH: process.env['PATH'], HOME: app, CDK_DISABLE_CLI_TELEMETRY: 'true', ...environment },
          timeout: TIMEOUT_MS,
        },
        (error, stdout, stderr) => {
          const printed = `${stdout}${stderr}`;
          if (error === null) resolve(printed);
          else reject(new Error(`cdk ${command} ended with ${error.code ?? error.signal}:\n${printed}`));
        },
      );
    });
  }

  return {
    configure(env, config) {
      writeFileSync(path.join(app, 'config', `${env}.json`), JSON.stringify(config));
    },
    cdk,
    async deploy(env) {
      const file = path.join(app, `${env}.outputs.json`);
      const printed = await cdk(env, 'deploy', '--require-approval=never', `--outputs-file=${file}`);
      const [outputs = {}] = Object.values<Record<string, string>>(JSON.parse(readFileSync(file, 'utf8')));
      return { outputs, printed };
    },
  };
}
