import { connect, createServer, type Socket } from 'node:net';
import { LOOPBACK } from '../local/http-server.ts';

/** What becomes of a connection that is opened now. */
export type LinkMode =
  | 'up'
  /** It is reset. */
  | 'reset'
  /** It is accepted, and nothing ever comes back. */
  | 'silent'
  /** It leads to a server whose certificate is not trusted. */
  | 'untrusted';

/** The way to one service, with the time that light takes on it. */
export interface Link {
  port: number;
  /** How many connections were opened. */
  connections(): number;
  setRoundTrip(roundTripMs: number): void;
  setMode(mode: LinkMode): void;
  /** Whatever is open from now on carries nothing more, in either direction, and is not closed: half-open. */
  cutOpenOnes(): void;
  /** Closes from the service's side what is open. */
  closeOpenOnes(): void;
  close(): void;
}

/**
 * Forwards TCP, and charges for it as a network does: half a round trip each way, and one for opening a connection, which a
 * kernel that is near would do for nothing. So a TLS 1.3 handshake takes two round trips, and each request one.
 */
export function openLink(ports: { service: number; untrusted: number }): Promise<Link> {
  let roundTripMs = 0;
  let mode: LinkMode = 'up';
  let opened = 0;
  const open = new Set<{ here: Socket; there: Socket; isCut: boolean }>();

  const server = createServer({ noDelay: true }, (here) => {
    opened += 1;
    const acceptedMs = performance.now();
    here.on('error', () => here.destroy());
    if (mode === 'reset') {
      here.resetAndDestroy();
      return;
    }
    if (mode === 'silent') return;
    const there = connect({
      host: LOOPBACK,
      port: mode === 'up' ? ports.service : ports.untrusted,
      noDelay: true,
    });
    const pair = { here, there, isCut: false };
    open.add(pair);
    const forward = (from: Socket, to: Socket, notBeforeMs: number) => {
      let last = Promise.resolve();
      const later = (deliver: () => void) => {
        const dueMs = Math.max(performance.now(), notBeforeMs) + roundTripMs / 2;
        last = last.then(() => until(dueMs)).then(() => void (pair.isCut || deliver()));
      };
      from.on('data', (chunk) => later(() => to.write(chunk)));
      from.on('end', () => later(() => to.end()));
      from.on('error', () => later(() => to.destroy()));
      from.on('close', () => {
        open.delete(pair);
        later(() => to.destroy());
      });
    };
    forward(here, there, acceptedMs + roundTripMs);
    forward(there, here, 0);
  });

  return new Promise((resolve) => {
    server.listen(0, LOOPBACK, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        connections: () => opened,
        setRoundTrip(ms) {
          roundTripMs = ms;
        },
        setMode(next) {
          mode = next;
        },
        cutOpenOnes() {
          for (const pair of open) pair.isCut = true;
        },
        closeOpenOnes() {
          for (const { there } of open) there.end();
          for (const { here } of open) here.end();
        },
        close() {
          server.close();
          for (const { here, there } of open) {
            here.destroy();
            there.destroy();
          }
        },
      });
    });
  });
}

/** A timer alone may be a millisecond late, which is as long as the way to DynamoDB. */
export async function until(instantMs: number): Promise<void> {
  const leftMs = instantMs - performance.now();
  if (leftMs > 2) await new Promise((resolve) => setTimeout(resolve, leftMs - 2));
  while (performance.now() < instantMs) await new Promise((resolve) => setImmediate(resolve));
}
