import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { close, LOOPBACK, listen } from '../../../local/http-server.ts';

const START_TIMEOUT_MS = 30_000;

/** The account's owner, to whom all is allowed: everything else needs a role or a policy. */
const OWNER = { accessKeyId: 'owner', secretAccessKey: 'owner-secret' };

export interface AwsEmulator {
  /** Where all of AWS is served, without a trailing slash. */
  url: string;
  credentials: typeof OWNER;
  /** What a program on this machine needs in its environment to work with it. */
  environment: Record<string, string>;
  close(): Promise<void>;
}

/**
 * Starts MiniStack from the virtual environment in `directory`, and puts all that it leaves behind beside it.
 *
 * @param functionEnvironment what its functions find in their environment beside their own
 * @throws where it does not get ready, with its log
 */
export async function startAwsEmulator(
  directory: string,
  functionEnvironment: Record<string, string>,
): Promise<AwsEmulator> {
  const port = await freePort();
  const url = `https://${LOOPBACK}:${port}`;
  const temporary = path.join(directory, 'emulator');
  mkdirSync(temporary);
  const child = spawn(path.join(directory, 'venv', 'bin', 'ministack'), {
    env: {
      PATH: process.env['PATH'],
      HOME: temporary,
      TMPDIR: temporary,
      STATE_DIR: temporary,
      S3_DATA_DIR: temporary,
      BIND_HOST: LOOPBACK,
      GATEWAY_PORT: String(port),
      // The listener for devices would be open to the network.
      IOT_MTLS_ENABLED: '0',
      // Enforces IAM: the functions can do what their roles allow.
      AUTH: 'true',
      // The bucket that `cdk bootstrap` makes refuses what is not encrypted on its way.
      USE_SSL: '1',
      AWS_ACCESS_KEY_ID: OWNER.accessKeyId,
      AWS_SECRET_ACCESS_KEY: OWNER.secretAccessKey,
      ...functionEnvironment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      log += text;
    });
  }
  const certificate = path.join(temporary, 'ministack-tls', 'server.crt');
  const emulator: AwsEmulator = {
    url,
    credentials: OWNER,
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: OWNER.accessKeyId,
      AWS_SECRET_ACCESS_KEY: OWNER.secretAccessKey,
      // What programs go by that bring certificates of their own, and what Node goes by.
      AWS_CA_BUNDLE: certificate,
      NODE_EXTRA_CA_CERTS: certificate,
    },
    async close() {
      child.kill();
      await exited;
    },
  };
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  while (!(await isReady(url, certificate))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      await emulator.close();
      throw new Error(`The emulator of AWS did not start:\n${log}`);
    }
    await pause(100);
  }
  return emulator;
}

async function isReady(url: string, certificate: string): Promise<boolean> {
  try {
    setDefaultCACertificates([...getCACertificates('bundled'), readFileSync(certificate, 'utf8')]);
    return (await fetch(`${url}/_ministack/ready`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  await close(server);
  return port;
}
