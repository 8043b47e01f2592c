import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** RFC 7518 section 3.1, RFC 8037 section 3.1. */
export type SigningAlgorithm = `${'RS' | 'PS' | 'ES'}${256 | 384 | 512}` | 'EdDSA';

/** A signing key of an issuer, with the public half as it is published. */
export interface SigningKey {
  kid: string;
  alg: SigningAlgorithm;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

const CURVES: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

export function createSigningKey(kid: string, alg: SigningAlgorithm = 'RS256'): SigningKey {
  const namedCurve = CURVES[alg];
  const pair =
    namedCurve !== undefined
      ? generateKeyPairSync('ec', { namedCurve })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, alg, ...pair };
}

export function publicJwk({ kid, alg, publicKey }: SigningKey): Record<string, unknown> {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

export const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Signs a JWT (RFC 7515 compact form). Any header and claims will do, broken ones too. */
export function signToken(key: SigningKey, claims: unknown, header: Record<string, unknown> = {}): string {
  const input = `${base64url({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })}.${base64url(claims)}`;
  const hash = key.alg === 'EdDSA' ? null : `sha${key.alg.slice(2)}`;
  const signature = sign(hash, Buffer.from(input), {
    key: key.privateKey,
    ...(key.alg.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' as const } : {}),
    // RFC 7518 section 3.5: the salt is as long as the hash.
    ...(key.alg.startsWith('PS')
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(key.alg.slice(2)) / 8 }
      : {}),
  });
  return `${input}.${signature.toString('base64url')}`;
}

/** The confusion attack: an HMAC made with what everybody knows, the public key (RFC 8725 section 2.1). */
export function signWithPublicKey(
  key: SigningKey,
  claims: unknown,
  format: 'spki-pem' | 'spki-der' | 'jwk',
): string {
  const secret =
    format === 'jwk'
      ? JSON.stringify(key.publicKey.export({ format: 'jwk' }))
      : format === 'spki-pem'
        ? key.publicKey.export({ type: 'spki', format: 'pem' })
        : key.publicKey.export({ type: 'spki', format: 'der' });
  const input = `${base64url({ alg: 'HS256', kid: key.kid, typ: 'at+jwt' })}.${base64url(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** What a key server does when it is asked. */
export type KeyServerMode =
  | 'serve'
  | 'fail'
  | 'hang'
  | 'hang-midway'
  | 'cut'
  | 'upgrade'
  | 'garbage'
  | 'redirect'
  | 'reset';

const ANSWERS: Record<
  KeyServerMode,
  (socket: Socket, response: ServerResponse, respond: () => string) => void
> = {
  serve: (_, response, respond) => response.setHeader('Content-Type', 'application/json').end(respond()),
  fail: (_, response, respond) => response.writeHead(500).end(respond()),
  hang: () => {},
  'hang-midway': (_, response) => response.setHeader('Content-Type', 'application/json').write('{"keys":['),
  // All the keys, and the end of the connection where the end of the answer is still to come.
  cut: (socket, response, respond) =>
    response.setHeader('Content-Type', 'application/json').write(respond(), () => socket.destroy()),
  upgrade: (socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: keys\r\n\r\n'),
  garbage: (_, response) =>
    response.setHeader('Content-Type', 'application/json').end('<html>sign in</html>'),
  redirect: (_, response, respond) => response.writeHead(302, { location: '/elsewhere' }).end(respond()),
  reset: (socket) => socket.destroy(),
};

/** An issuer's key endpoint over HTTP that can rotate keys, break, and count. */
export async function startKeyServer(keys: SigningKey[]) {
  const state = {
    keys,
    mode: 'serve' as KeyServerMode,
    fetches: 0,
    /** Answers in place of all else, where it is set. */
    answer: undefined as ((request: IncomingMessage, response: ServerResponse) => void) | undefined,
    /** What is published; anything else may be put in its place. */
    respond: (): string => JSON.stringify({ keys: state.keys.map(publicJwk) }),
  };
  const server = createServer((request, response) => {
    state.fetches += 1;
    if (state.answer !== undefined) {
      state.answer(request, response);
      return;
    }
    // With keys in it, as the next: only the status says that this is no key set.
    const mode = state.mode === 'redirect' && request.url === '/elsewhere' ? 'serve' : state.mode;
    ANSWERS[mode](request.socket, response, state.respond);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, {
    issuer: url,
    jwksUri: `${url}/jwks`,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
