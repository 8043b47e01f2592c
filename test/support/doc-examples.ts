/** A token as a page shows it: its times and its key are the test's own. */
export interface TokenExample {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
}
/** A request of that token to a meeting of those tenants, and its answer. */
export interface RequestExample {
  token: TokenExample;
  tenants: string[];
  status: number;
  rule: string | undefined;
  body: string;
}
/** A configuration and what follows from it. */
export interface ConfigurationExample {
  heading: string;
  configuration: { issuers: { issuer: string; jwksUri?: string; jwksUris?: string[] }[] };
  requests: RequestExample[];
}

/** Reads the examples of a page: blocks of `json configuration`, `json token` and `json request to a meeting of …: …`. */
export function readExamples(page: string): { examples: ConfigurationExample[]; triggers: string[] } {
  const examples: ConfigurationExample[] = [];
  const triggers: string[] = [];
  let heading = '';
  let token: TokenExample | undefined;
  for (const [, title, info = '', text = ''] of page.matchAll(/^## (.*)$|^```(.+)\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) heading = title;
    else if (info === 'json configuration') {
      examples.push({ heading, configuration: JSON.parse(text), requests: [] });
    } else if (info === 'json token') token = JSON.parse(text);
    else if (info === 'js trigger') triggers.push(text);
    else examples.at(-1)?.requests.push({ token: tokenBefore(info, token), ...requestIn(info), body: text });
  }
  return { examples, triggers };
}

function tokenBefore(info: string, token: TokenExample | undefined): TokenExample {
  if (token === undefined) throw new Error(`No token comes before the example: ${info}`);
  return token;
}

function requestIn(info: string): { tenants: string[]; status: number; rule: string | undefined } {
  const [, tenants, status, rule] =
    /^json request to a meeting of ([a-z, ]+): (\d{3})(?: ([a-z-]+))?$/.exec(info) ?? [];
  if (tenants === undefined) throw new Error(`An example of no known kind: ${info}`);
  return { tenants: tenants === 'no tenant' ? [] : tenants.split(', '), status: Number(status), rule };
}
