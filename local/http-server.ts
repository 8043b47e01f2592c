import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where everything of the one-machine system listens: nothing outside this machine can reach it. */
export const LOOPBACK = '127.0.0.1';

/**
 * Starts `server` on this machine only.
 *
 * @param port 0 lets the operating system choose a free port
 * @returns the port it listens on
 * @throws with `code` EADDRINUSE where the port is taken
 */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/**
 * Starts `server` on `preferred`, or on a free port where another program has that.
 *
 * @returns the port it listens on
 */
export async function listenNear(server: Server, preferred: number): Promise<number> {
  try {
    return await listen(server, preferred);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return listen(server, 0);
  }
}

/** Stops `server` and ends its connections, idle or not. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
