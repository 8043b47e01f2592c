import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The addresses of the local issuer. */
export interface IssuerAddresses {
  /** The `iss` of its tokens, and the base of its discovery. */
  issuer: string;
  jwksUri: string;
  /**
   * `POST` of `{"header": {…}, "payload": {…}}` as JSON answers the JWT, signed with the issuer's key. The address
   * holds a secret: anyone who knows it can sign anything.
   */
  signUrl: string;
  /** For the client credentials grant, as `BACKEND_CLIENT_ID`. */
  backendClientSecret: string;
}

export interface IssuerOptions {
  /** If it is in use, another one is chosen; 0 (default) for a free one. */
  port?: number;
  /** Keeps keys between starts; by default, a new issuer has new keys. */
  dataDirectory?: string;
}

const PROCESS_FILE = fileURLToPath(new URL('process.ts', import.meta.url));

/**
 * Starts an OpenID Connect issuer in a separate process, so that it can fail alone like a real one.
 *
 * @throws if it ends before it is ready
 */
export async function startIssuer(
  options: IssuerOptions = {},
): Promise<IssuerAddresses & { pid: number; close(): Promise<void> }> {
  const child = fork(PROCESS_FILE, [JSON.stringify(options)], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const ready = Promise.withResolvers<IssuerAddresses>();
  child.once('message', (addresses: IssuerAddresses) => ready.resolve(addresses));
  child.once('error', ready.reject);
  child.once('exit', (code) => ready.reject(new Error(`The local issuer ended with code ${code}.`)));
  const addresses = await ready.promise;
  return {
    ...addresses,
    pid: child.pid as number,
    async close() {
      child.kill();
      await exited;
    },
  };
}
