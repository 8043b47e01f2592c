import { createHash, randomBytes } from 'node:crypto';

export interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
}

/**
 * Signs in at the local issuer as a browser does: authorization code with PKCE (RFC 7636), over its page.
 *
 * @throws with the status where the issuer refuses
 */
export async function signIn(
  issuer: string,
  { role, name = '', redirectUri }: { role: string; name?: string; redirectUri: string },
): Promise<Tokens> {
  const verifier = randomBytes(32).toString('base64url');
  const parameters = {
    client_id: 'local-page',
    response_type: 'code',
    scope: 'openid attendees.create attendees.create.self',
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  };
  const browse = createBrowser();
  const page = await browse(`${issuer}/authorize?${new URLSearchParams(parameters)}`, redirectUri);
  const back = await browse(page, redirectUri, new URLSearchParams({ role, name }));
  const code = new URL(back).searchParams.get('code');
  if (code === null) throw new Error(`The issuer sent ${back}.`);
  return askForTokens(issuer, {
    grant_type: 'authorization_code',
    client_id: 'local-page',
    code,
    code_verifier: verifier,
    redirect_uri: redirectUri,
  });
}

/** Follows redirects with the cookies that came on the way. @returns the address that shows a page, or the redirect URI */
function createBrowser() {
  const cookies = new Map<string, string>();
  return async (start: string, redirectUri: string, form?: URLSearchParams): Promise<string> => {
    let url = start;
    let body = form;
    for (let step = 0; step < 10; step += 1) {
      const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
      const response = await fetch(url, {
        redirect: 'manual',
        headers: { cookie },
        ...(body && { method: 'POST', body }),
      });
      for (const set of response.headers.getSetCookie()) {
        const [name = '', value = ''] = (set.split(';')[0] as string).split(/=(.*)/s);
        cookies.set(name, value);
      }
      if (response.status === 200) return url;
      const location = response.headers.get('location');
      if (location === null) throw new Error(`${url} answered ${response.status}.`);
      url = new URL(location, url).href;
      body = undefined;
      if (url.startsWith(redirectUri)) return url;
    }
    throw new Error(`${url} redirects without an end.`);
  };
}

export function refresh(issuer: string, refreshToken: string): Promise<Tokens> {
  return askForTokens(issuer, {
    grant_type: 'refresh_token',
    client_id: 'local-page',
    refresh_token: refreshToken,
  });
}

/** A token by client credentials. */
export async function backendToken(environment: {
  issuer: string;
  backendClientId?: string;
  backendClientSecret?: string;
}): Promise<string> {
  const { issuer, backendClientId, backendClientSecret } = environment;
  const basic = Buffer.from(`${backendClientId}:${backendClientSecret}`).toString('base64');
  const tokens = await askForTokens(
    issuer,
    { grant_type: 'client_credentials', scope: 'attendees.create' },
    { authorization: `Basic ${basic}` },
  );
  return tokens.access_token;
}

async function askForTokens(
  issuer: string,
  parameters: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Tokens> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(parameters),
  });
  if (!response.ok) throw new Error(`The issuer answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Tokens;
}

/** Header and claims of a JWT, unverified. */
export function claimsOf(token: string): {
  header: Record<string, unknown>;
  payload: Record<string, unknown>;
} {
  const [header, payload] = token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  return { header, payload };
}
