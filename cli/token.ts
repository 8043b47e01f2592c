import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { type LocalEnvironment, readLocalEnvironment, stateDirectory } from '../local/environment.ts';
import { survivePipedHelp } from '../local/output.ts';

export interface TokenOptions {
  sub: string;
  /** Space-separated scopes; empty for none. */
  scope: string;
  clientId: string;
  /** The header's `typ`. */
  typ: string;
  /** Seconds from now; negative for a token that has expired. */
  expiresIn: string;
  /** `NAME=VALUE` sets a claim, `NAME=` removes it, a repeated name makes a list. */
  claim: string[];
}

/** Header and claims of a JWT, without what the signer adds (algorithm and key id). */
export interface TokenParts {
  header: { typ: string };
  payload: Record<string, unknown>;
}

/** Claims that are numbers (RFC 7519 section 2, NumericDate). */
const NUMERIC_CLAIMS = ['exp', 'nbf', 'iat'];

const SIGN_TIMEOUT_MS = 10_000;

/** How long before its expiry an expired token was issued. */
const EXPIRED_LIFETIME_SECONDS = 60;

/**
 * The content of an access token in the form of RFC 9068.
 *
 * @param nowSeconds since the epoch
 * @throws in one line if an option is malformed
 */
export function tokenParts(
  options: TokenOptions,
  { issuer, audience }: Pick<LocalEnvironment, 'issuer' | 'audience'>,
  nowSeconds: number,
): TokenParts {
  const lifetimeSeconds = Number(options.expiresIn);
  if (!Number.isInteger(lifetimeSeconds)) throw new Error('--expires-in takes a whole number of seconds.');
  const expires = nowSeconds + lifetimeSeconds;
  const issued = lifetimeSeconds > 0 ? nowSeconds : expires - EXPIRED_LIFETIME_SECONDS;
  const payload: Record<string, unknown> = {
    iss: issuer,
    sub: options.sub,
    aud: audience,
    client_id: options.clientId,
    scope: options.scope,
    tenant: 'acme',
    iat: issued,
    nbf: issued,
    exp: expires,
    jti: randomUUID(),
  };
  if (options.scope === '') delete payload['scope'];
  for (const [name, values] of readClaims(options.claim)) {
    const [first, ...others] = values;
    if (first === undefined) delete payload[name];
    else payload[name] = others.length > 0 ? values : first;
  }
  return { header: { typ: options.typ }, payload };
}

function readClaims(options: string[]): Map<string, (string | number)[]> {
  const claims = new Map<string, (string | number)[]>();
  for (const option of options) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(option) ?? [];
    if (name === undefined || value === undefined)
      throw new Error(`--claim takes NAME=VALUE, not "${option}".`);
    const values = claims.get(name) ?? [];
    claims.set(name, value === '' ? values : [...values, claimValue(name, value)]);
  }
  return claims;
}

function claimValue(name: string, text: string): string | number {
  if (!NUMERIC_CLAIMS.includes(name)) return text;
  if (!/^-?\d+$/.test(text)) throw new Error(`--claim ${name} takes a whole number of seconds.`);
  return Number(text);
}

/**
 * Signs a token of the local issuer, valid for an hour.
 *
 * @throws in one line if the running system uses an external issuer, or does not answer
 */
export function signLocalToken(
  environment: LocalEnvironment,
  { sub, scope }: Pick<TokenOptions, 'sub' | 'scope'>,
): Promise<string> {
  const options = { sub, scope, clientId: 'local-client', typ: 'at+jwt', expiresIn: '3600', claim: [] };
  return sign(environment, tokenParts(options, environment, Math.floor(Date.now() / 1000)));
}

async function sign({ signUrl }: LocalEnvironment, parts: TokenParts): Promise<string> {
  if (signUrl === undefined) {
    throw new Error('The running system uses an external issuer: get a token from it.');
  }
  let response: Response;
  try {
    response = await fetch(signUrl, {
      method: 'POST',
      body: JSON.stringify(parts),
      signal: AbortSignal.timeout(SIGN_TIMEOUT_MS),
    });
  } catch {
    throw new Error('The local issuer does not answer: check that `npm start` is still running.');
  }
  const text = await response.text();
  if (!response.ok) throw new Error(`The local issuer rejects the request: ${text}`);
  return text;
}

async function main(): Promise<void> {
  const options = new Command('npm run --silent token --')
    .description('Prints a JWT of the local issuer.')
    .option('--sub <subject>', 'the subject of the token', 'alice')
    .option('--scope <scopes>', 'space-separated; empty for none', 'attendees.create')
    .option('--client-id <id>', 'the client of the token', 'local-client')
    .option('--expires-in <seconds>', 'its lifetime; negative for one that has expired', '3600')
    .option('--typ <type>', "the header's typ", 'at+jwt')
    .option(
      '--claim <NAME=VALUE>',
      'sets a claim; NAME= removes it, a repeated NAME makes a list',
      (claim: string, earlier: string[]) => [...earlier, claim],
      [],
    )
    .parse()
    .opts<TokenOptions>();
  const environment = readLocalEnvironment(stateDirectory(process.env));
  const parts = tokenParts(options, environment, Math.floor(Date.now() / 1000));
  console.log(await sign(environment, parts));
}

if (import.meta.main) {
  survivePipedHelp();
  try {
    await main();
  } catch (error) {
    console.error(`usher: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
