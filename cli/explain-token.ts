import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { authorizeByToken } from '../lambda/create-attendees/policy.ts';
import { FacadeError } from '../lambda/model/errors.ts';
import type { IssuerRules } from '../lambda/model/issuer-rules.ts';
import type { Caller } from '../lambda/model/ports.ts';
import type { Reason, TokenReason } from '../lambda/model/reasons.ts';
import type { Rule } from '../lambda/model/rules.ts';
import { nearestIssuer } from '../lambda/oidc/issuer-names.ts';
import { createTokenVerifier } from '../lambda/oidc/token-verifier.ts';
import { ConfigurationError } from '../lib/checks/configuration-error.ts';
import { parseConfig } from '../lib/settings/complete.ts';
import { readConfigFile } from '../lib/settings/config-file.ts';
import { readLocalEnvironment, stateDirectory } from '../local/environment.ts';
import type { IssuerAddresses } from '../local/issuer/issuer.ts';
import { namesLocalIssuer, withLocalIssuer } from '../local/issuer/named.ts';
import { survivePipedHelp } from '../local/output.ts';

export interface Explanation {
  isAccepted: boolean;
  /** The explanation: words of the configuration and names of claims, and nothing else of the token. */
  lines: string[];
}

const NO_MEETING = '00000000-0000-0000-0000-000000000000';

/** What to do for each reason, in terms of the configuration and the provider. */
const ADVICE: Record<TokenReason | 'issuer-unavailable', string> = {
  'token-algorithm': 'add the algorithm to `algorithms`, if the issuer is meant to sign with it',
  'token-audience': 'ask the issuer for a token for this API, or add its `aud` to `audience`',
  'token-claim-ambiguous': 'remove one of the two claims at the issuer, or name another claim',
  'token-claim-list': 'have the issuer write one value, or name another claim',
  'token-claim-type': 'have the issuer write the claim with the type that the message names',
  'token-client': 'add the client to `clientIds`, or name the claim that holds it as `clientIdClaim`',
  'token-critical-header': 'have the issuer leave out the header `crit`',
  'token-encrypted': 'switch token encryption off at the issuer',
  'token-expired': 'get a new token, or compare the clocks',
  'token-expiry-missing': 'have the issuer limit the lifetime of its tokens',
  'token-issuer': 'write the `iss` of the tokens into `issuer`, exactly',
  'token-key':
    'check that `jwksUri` is the `jwks_uri` of the issuer, and that it publishes the key of the token',
  'token-kind': 'send the access token and not the ID token, or correct `accessTokenMark`',
  'token-malformed': 'send the access token as the issuer gave it, without quotes',
  'token-missing': 'give a token on standard input',
  'token-not-yet-valid': 'compare the clocks, or raise `clockSkewSeconds`',
  'token-opaque': 'ask the issuer for a JWT: some need an audience, others a setting of the client',
  'token-signature': 'check that the token is whole, and that `jwksUri` belongs to this issuer',
  'token-subject': 'name the claims that identify a caller as `subjectClaims`',
  'issuer-unavailable': 'check `jwksUri`, and that it can be reached from here',
};

/** Explains how Usher judges a token: its issuer, the rule that refuses it, and the remedy. */
export async function explainToken(
  token: string,
  issuers: readonly IssuerRules[],
  now: () => number = Date.now,
): Promise<Explanation> {
  const lines: string[] = [];
  const claims = unverifiedClaims(token);
  if (claims !== undefined) {
    lines.push(...issuerLines(claims, issuers), `claims:  ${Object.keys(claims).toSorted().join(', ')}`);
  }
  const verifier = createTokenVerifier(issuers, { now }, (event, facts) => {
    const details = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
    lines.push(`log:     ${event}: ${details.join(', ')}`);
  });
  try {
    const caller = await verifier.verify(token);
    const refused = refusalLines(caller);
    return {
      isAccepted: refused.length === 0,
      lines: [...lines, ...(refused.length > 0 ? refused : callerLines(caller))],
    };
  } catch (error) {
    if (!(error instanceof FacadeError)) throw error;
    const { reason } = error.details;
    lines.push(`refused: ${reason}. ${error.message}`, `fix:     ${adviceFor(reason)}`);
    return { isAccepted: false, lines };
  }
}

function unverifiedClaims(token: string): Record<string, unknown> | undefined {
  const [, payload = ''] = token.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? { ...claims } : undefined;
  } catch {
    return undefined;
  }
}

function issuerLines(claims: Record<string, unknown>, issuers: readonly IssuerRules[]): string[] {
  const names = issuers.map(({ issuer }) => issuer);
  const { iss } = claims;
  const index = typeof iss === 'string' ? names.indexOf(iss) : -1;
  if (index !== -1) return [`issuer:  ${names[index]} (issuers[${index}])`];
  const nearest = typeof iss === 'string' ? nearestIssuer(iss, names) : undefined;
  if (nearest !== undefined) return [`issuer:  not configured, but similar to ${nearest}`];
  return [`issuer:  not configured; configured are ${names.join(', ')}`];
}

/** The problems that refuse the token for every request; empty if none. */
function refusalLines(caller: Caller): string[] {
  const { rules, claims } = caller;
  const role = roleOf(caller);
  if (role === undefined) {
    return [
      `refused: scope. The token is valid, but has none of the scopes ${namesOf(rules).join(', ')} in ${rules.scopeClaims.join(', ')}.`,
      'fix:     grant the caller one of these scopes, or name the claim that has them as `scopeClaim`',
    ];
  }
  if (role.rule === 'tenant-claim') {
    return [
      `refused: tenant-claim. The claim ${rules.tenantClaim} is missing, malformed, or names a tenant that is not in \`tenants\`.`,
      'fix:     have the issuer write the tenant, or add it to `tenants`',
    ];
  }
  if (role.kind === 'self' && claims[rules.externalUserIdClaim] === undefined) {
    return [
      `refused: self-own-name. The claim ${rules.externalUserIdClaim}, which holds the caller's own name, is missing.`,
      'fix:     name another claim as `externalUserIdClaim`',
    ];
  }
  return [];
}

function callerLines(caller: Caller): string[] {
  const { rules } = caller;
  const role = roleOf(caller);
  const client = caller.clientId === '' ? 'no known client' : 'a client';
  return [
    `accepted: ${role?.kind} by the scope ${role?.scope} in ${rules.scopeClaims.join(', ')}, with ${client}`,
    role?.kind === 'self'
      ? `may name: itself, by the claim ${rules.externalUserIdClaim}`
      : `may name: any user${rules.externalUserIdPrefix === '' ? '' : ` that begins with ${rules.externalUserIdPrefix}`}`,
    `meetings: ${meetingsOf(rules)}`,
  ];
}

interface Role {
  kind: 'delegate' | 'self';
  scope: string;
  /** The rule that refuses a request without attendees and meeting. */
  rule: Rule | undefined;
}

function roleOf(caller: Caller): Role | undefined {
  const decision = authorizeByToken(caller, { meetingId: NO_MEETING, attendees: [] });
  const scope = decision.permitted ? decision.grant.scope : decision.scope;
  if (scope === undefined) return undefined;
  const kind = caller.rules.scopes.delegate === scope ? 'delegate' : 'self';
  return { kind, scope, rule: decision.permitted ? undefined : decision.rule };
}

function namesOf({ scopes }: IssuerRules): string[] {
  return [scopes.delegate ?? [], scopes.self ?? []].flat();
}

function meetingsOf({ tenantClaim, meetingsClaim, meetingsClaimRequired }: IssuerRules): string {
  const bounds = [
    ...(tenantClaim === undefined ? [] : [`of the tenants in the claim ${tenantClaim}`]),
    ...(meetingsClaim === undefined
      ? []
      : [`listed in the claim ${meetingsClaim}${meetingsClaimRequired ? '' : ', if the token has it'}`]),
  ];
  return bounds.length === 0 ? 'any' : bounds.join(', and ');
}

function adviceFor(reason: Reason | undefined): string {
  return reason !== undefined && reason in ADVICE
    ? ADVICE[reason as keyof typeof ADVICE]
    : 'see docs/runbook.md';
}

/** @throws ConfigurationError if no local system runs, or one with another issuer */
function localIssuer(config: string): Pick<IssuerAddresses, 'issuer' | 'jwksUri'> {
  try {
    const { issuer, jwksUri } = readLocalEnvironment(stateDirectory(process.env));
    if (jwksUri !== undefined) return { issuer, jwksUri };
  } catch (error) {
    throw new ConfigurationError(
      `${config}: issuers: "local" is the issuer of a running local system. ${(error as Error).message}`,
    );
  }
  throw new ConfigurationError(
    `${config}: issuers: "local" is the issuer of a running local system, and the one that runs has another issuer; name the configuration that it runs with`,
  );
}

async function main(): Promise<void> {
  const { config } = new Command('explain-token')
    .description(
      'Explains how Usher judges a token from standard input under a configuration. Never prints the token.',
    )
    .requiredOption('--config <file>', 'configuration, such as config/production.json')
    .parse()
    .opts<{ config: string }>();
  const written = readConfigFile(config);
  const complete = namesLocalIssuer(written) ? withLocalIssuer(written, localIssuer(config)) : written;
  const { issuers } = parseConfig(complete, config);
  if (issuers.length === 0) {
    throw new ConfigurationError(
      `${config}: issuers: none is configured, so the pool is only known after deployment; add the pool's issuer to a copy of the file`,
    );
  }
  const token = (await text(process.stdin)).trim().replace(/^Bearer\s+/i, '');
  const { isAccepted, lines } = await explainToken(token, issuers);
  console.log(lines.join('\n'));
  process.exitCode = isAccepted ? 0 : 1;
}

if (import.meta.main) {
  survivePipedHelp();
  try {
    await main();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
