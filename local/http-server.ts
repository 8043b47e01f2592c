import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The address of all servers of the local system: nothing outside this machine can reach it. */
export const LOOPBACK = '127.0.0.1';

/**
 * Starts `server` on this machine only.
 *
 * @param port 0 lets the operating system choose a free port
 * @returns the port it listens on
 * @throws with `code` EADDRINUSE if the port is taken
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
 * Starts `server` on `preferred`, or on a free port if another program has that one.
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

/** Stops `server` and closes its connections, idle or not. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
