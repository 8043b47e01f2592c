import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type SecureVersion } from 'node:tls';
import { type Check, expectThat, NotCheckable } from '../check.ts';
import type { World } from '../world.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** OpenSSL's own policy refuses the old versions before the server can. */
const OLD_VERSIONS_TOO = 'DEFAULT@SECLEVEL=0';

/** How a server refuses a version; any other error says nothing about it. */
const REFUSED = /^(ECONNRESET|ERR_SSL_\w*ALERT\w*)$/;

/** How this Node refuses a version itself. */
const UNABLE = [
  'ERR_SSL_NO_PROTOCOLS_AVAILABLE',
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_NO_CIPHERS_AVAILABLE',
];

/** The versions that the API's TLS policy accepts. */
export const tls: Check[] = [
  ...(['TLSv1.2', 'TLSv1.3'] as const).map((version) => ({
    name: `speaks ${version}`,
    run: async (world: World) => {
      const failure = await handshake(world, version, {});
      expectThat(failure === undefined, `the handshake failed: ${failure}`);
      return undefined;
    },
  })),
  ...(['TLSv1', 'TLSv1.1'] as const).map((version) => ({
    name: `refuses ${version === 'TLSv1' ? 'TLSv1.0' : version}`,
    run: async (world: World) => {
      // No data follows, so the certificate does not matter.
      const failure = await handshake(world, version, {
        ciphers: OLD_VERSIONS_TOO,
        rejectUnauthorized: false,
      });
      if (failure !== undefined && UNABLE.includes(failure)) {
        throw new NotCheckable('the OpenSSL of this Node cannot speak it');
      }
      expectThat(failure !== undefined, 'the handshake succeeded');
      expectThat(REFUSED.test(failure), `the handshake failed for another reason: ${failure}`);
      return failure;
    },
  })),
];

/** @returns the error code of the handshake; undefined if it succeeded */
async function handshake(
  { apiUrl, kind }: World,
  version: SecureVersion,
  options: ConnectionOptions,
): Promise<string | undefined> {
  if (kind !== 'aws') throw new NotCheckable("its TLS is not API Gateway's");
  const { hostname, port } = new URL(apiUrl);
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect(
    {
      host: hostname,
      port: Number(port || 443),
      // An address is not a server name (RFC 6066 section 3).
      ...(isIP(hostname) === 0 && { servername: hostname }),
      minVersion: version,
      maxVersion: version,
      timeout: HANDSHAKE_TIMEOUT_MS,
      ...options,
    },
    () => resolve(undefined),
  );
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  socket.on('timeout', () => resolve('timeout'));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
