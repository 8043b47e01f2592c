import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { json, text } from 'node:stream/consumers';
import { CompactSign, importJWK, type JWK } from 'jose';
import type Provider from 'oidc-provider';
import { guarded, refusalOf } from '../guard.ts';
import { LOOPBACK, listenNear } from '../http-server.ts';
import type { IssuerAddresses, IssuerOptions } from './issuer.ts';
import { randomSecret, readSecrets } from './keys.ts';
import { NAME_PATTERN, PEOPLE } from './people.ts';
import { type Accounts, createProvider } from './provider.ts';
import { signInPage } from './sign-in-page.ts';

interface TokenParts {
  header: Record<string, unknown>;
  payload: Record<string, unknown>;
}

// Without its parent, the process is useless; Ctrl-C reaches it too, and is for the parent to handle.
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => {});

const { port = 0, dataDirectory } = JSON.parse(process.argv[2] ?? '{}') as IssuerOptions;
const secrets = await readSecrets(dataDirectory);
const server = createServer();
const authority = `${LOOPBACK}:${await listenNear(server, port)}`;
const issuer = `http://${authority}`;
const signPath = `/sign/${randomSecret()}`;
const accounts: Accounts = new Map();
const provider = createProvider(issuer, secrets, accounts);
const answerProvider = provider.callback() as RequestListener;

server.on('request', guarded(answer, 'loopback'));
const addresses: IssuerAddresses = {
  issuer,
  jwksUri: `${issuer}/jwks`,
  signUrl: issuer + signPath,
  backendClientSecret: secrets.backendClientSecret,
};
process.send?.(addresses);

function answer(request: IncomingMessage, response: ServerResponse): void {
  // The provider derives its addresses from this header, and they all have to begin with the issuer's name.
  request.headers.host = authority;
  const { url = '/' } = request;
  if (url.startsWith('/sign/')) settle(response, answerSign(request, response));
  else if (url.startsWith('/sign-in/')) settle(response, answerSignIn(provider, request, response));
  else answerProvider(request, response);
}

function settle(response: ServerResponse, answered: Promise<void>): void {
  answered.catch((error) => response.writeHead(400).end(String(error)));
}

async function answerSign(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isSame(request.url ?? '', signPath) || refusalOf(request, 'none') !== undefined) {
    response.writeHead(403).end('Only programs that read .local/environment.json can have tokens signed.');
    return;
  }
  const { header, payload } = (await json(request)) as TokenParts;
  const { alg, kid } = secrets.signingKey as JWK & { alg: string; kid: string };
  const key = await importJWK(secrets.signingKey, alg);
  const signing = new CompactSign(Buffer.from(JSON.stringify(payload)));
  response.end(await signing.setProtectedHeader({ ...header, alg, kid }).sign(key));
}

function isSame(text: string, expected: string): boolean {
  const [one, other] = [Buffer.from(text), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

async function answerSignIn(
  signInProvider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // Throws if this browser did not begin the sign-in, or began it too long ago.
  await signInProvider.interactionDetails(request, response);
  if (request.method !== 'POST') return sendPage(response, signInPage());
  const form = new URLSearchParams(await text(request));
  const person = PEOPLE[form.get('role') ?? ''];
  const name = form.get('name')?.trim() || person?.name;
  if (person === undefined || name === undefined || !new RegExp(`^${NAME_PATTERN}$`).test(name)) {
    return sendPage(response, signInPage('A name has 2 to 64 letters, digits and @ . _ -'));
  }
  accounts.set(name, person);
  await signInProvider.interactionFinished(request, response, { login: { accountId: name } });
}

function sendPage(response: ServerResponse, html: string): void {
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Frame-Options', 'DENY');
  response.end(html);
}
