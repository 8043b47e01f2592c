import { z } from 'zod';
import type { IssuerRules } from '../../lambda/model/issuer-rules.ts';
import { withPlaceholders } from './deploy-time.ts';

/** What is wrong with a configuration, and at which key. */
interface Objection {
  path: PropertyKey[];
  message: string;
}

/** Chime names a member of a meeting with at most 64 characters; a prefix must leave half of them to the user's own id. */
const MAX_PREFIX_LENGTH = 32;

/** The characters of Chime's `ExternalUserId`, without white space: that Chime keeps it where a name begins is not documented. */
const PREFIX_CHARACTERS = /^[-_&@+=,(){}[\]/«».:|'"#a-zA-Z0-9À-ÿ]*$/;

/** Chime's `TenantId`: 2 to 256 of these characters, none of them four times in a row. */
const TENANT_ID = /^(?!.*?(.)\1{3})[-_!@#$a-zA-Z0-9]{2,256}$/;

/** A scope-token of RFC 6749 section 3.3: tokens list their scopes with spaces between. */
const SCOPE_NAME = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

const claimName = z.string().min(1);
const scopeName = z.string().regex(SCOPE_NAME, {
  error: 'a scope name is printable ASCII without spaces, quotes and backslashes (RFC 6749 section 3.3)',
});
const mediaCapability = z.enum(['SendReceive', 'Send', 'Receive', 'None']);
const capabilities = z
  .strictObject({ Audio: mediaCapability, Video: mediaCapability, Content: mediaCapability })
  .meta({ ts: { name: 'Capabilities', from: '../../lambda/model/attendees.ts' } });

/** One entry of the configuration's `issuers`, as it is written: what has a default may be left out. */
const issuerEntrySchema = z
  .strictObject({
    issuer: z.string().meta({
      description:
        'The exact `iss` claim: an https URL without query or fragment (OpenID Connect Discovery 1.0 section 3).',
    }),
    jwksUri: z.exactOptional(z.string()).meta({
      description: 'Where the issuer publishes its keys (RFC 7517).',
      leftOut: '`issuer` and `/.well-known/jwks.json`',
    }),
    audience: z.array(z.string().min(1)).default([]).meta({
      description:
        "A token's `aud` must name one of these. Required, unless there are `clientIds`: Cognito's access tokens have no `aud`.",
    }),
    clientIds: z.array(z.string().min(1)).default([]).meta({
      description: "A token's `client_id` (or `azp`, if it has none) must be one of these.",
      leftOut: 'any client of the issuer',
    }),
    algorithms: z
      .array(
        z
          .enum(['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])
          .meta({ ts: { name: 'SignatureAlgorithm', from: '../../lambda/model/issuer-rules.ts' } }),
      )
      .min(1)
      .default(['RS256'])
      .meta({ description: 'The signature algorithms that are accepted (RFC 7518 section 3.1, RFC 8037).' }),
    accessToken: z
      .union(
        [
          z.literal('at+jwt'),
          z.literal('cognito'),
          z
            .strictObject({
              claim: claimName.meta({ description: 'The name of the claim.' }),
              value: z.string().min(1).meta({ description: 'Its value in an access token.' }),
            })
            .meta({
              title: 'AccessTokenClaim',
              description: "A claim by which an issuer's access tokens differ from its ID tokens.",
            }),
        ],
        {
          error:
            'says how an access token is told from an ID token, which would let a mere login in, and is one of ' +
            '"at+jwt" (RFC 9068), "cognito", or {"claim": "...", "value": "..."}',
        },
      )
      .meta({
        description:
          "How a token shows that it is an access token (RFC 8725 section 3.12): `at+jwt` by the header's `typ` (RFC 9068), `cognito` by the claim `token_use`, or a claim of the issuer's own.",
      }),
    scopeClaim: z.exactOptional(claimName).meta({
      description:
        "The claim that lists a token's scopes: one string with spaces between, or a list of strings.",
      leftOut: '`scope` (RFC 8693 section 4.2), always one string',
    }),
    scopes: z
      .strictObject({
        delegate: z.exactOptional(scopeName).meta({
          description: 'A caller with this scope may name any ExternalUserId under `externalUserIdPrefix`.',
          leftOut: 'no caller may',
        }),
        self: z.exactOptional(z.union([scopeName, z.array(scopeName).min(1)])).meta({
          description:
            'A caller with this scope may name itself, once. Several scopes differ by their ceilings, for guests and viewers, say: of a token that has more than one, the first that is listed here counts.',
          leftOut: 'no caller may',
        }),
      })
      .meta({ title: 'IssuerScopes', description: "An issuer's scopes and what each allows; one at least." }),
    externalUserIdClaim: claimName.default('sub').meta({
      description: "The claim that holds the caller's own ExternalUserId.",
    }),
    externalUserIdPrefix: z.string().default('').meta({
      description:
        'Put before that claim, and required of every name that a delegate uses. Required if there are several issuers.',
    }),
    tenantClaim: z.exactOptional(claimName).meta({
      description:
        "The claim that names the caller's tenants: a string or a list. One must be among the meeting's own `TenantIds`.",
      leftOut: 'tenants do not matter',
    }),
    tenants: z
      .exactOptional(
        z
          .array(
            z.string().regex(TENANT_ID, {
              error:
                'no meeting can have this tenant: Chime allows 2 to 256 characters of -_!@#$a-zA-Z0-9, none four times in a row',
            }),
          )
          .min(1),
      )
      .meta({
        description: 'The tenants that this issuer may speak for. Required if there are several issuers.',
        leftOut: 'any',
      }),
    meetingsClaim: z.exactOptional(claimName).meta({
      description: 'The claim that lists the meeting ids a token is good for: a list, or one string.',
      leftOut: 'tokens list no meetings',
    }),
    meetingsClaimRequired: z.boolean().default(true).meta({
      description: 'Whether a token without `meetingsClaim` is refused.',
    }),
    allowAnyMeeting: z.boolean().default(false).meta({
      description: 'Allows self tokens of this issuer to enter any meeting of the account.',
    }),
    ceilings: z.record(z.string(), capabilities).default({}).meta({
      description:
        'The most that a scope may ask for, by scope name. A scope without one may ask for everything.',
    }),
  })
  .meta({ title: 'IssuerEntry', description: 'One issuer, and what its tokens may do.' });

type CompleteEntry = z.infer<typeof issuerEntrySchema>;

/**
 * The configuration's `issuers`, complete: every default filled in, every entry safe by itself and beside the others.
 * The annotation keeps the schema and the handler's `IssuerRules` the same shape.
 */
export const issuersSchema: z.ZodType<IssuerRules[]> = z
  .array(issuerEntrySchema)
  .superRefine((entries, context) => {
    for (const { path, message } of problemsWithIssuers(entries)) {
      context.addIssue({ code: 'custom', path, message });
    }
  })
  .transform((entries) =>
    entries.map((entry) => ({
      ...entry,
      jwksUri: jwksUriOf(entry),
    })),
  )
  .meta({ complete: { name: 'IssuerRules[]', from: '../../lambda/model/issuer-rules.ts' } });

function jwksUriOf({ issuer, jwksUri }: CompleteEntry): string {
  return jwksUri ?? `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`;
}

function problemsWithIssuers(entries: CompleteEntry[]): Objection[] {
  return entries.flatMap((entry, index) =>
    [
      ...problemsWithEntry(entry),
      ...(entries.length > 1 ? problemsBesideOthers(entry, entries.slice(0, index), entries) : []),
    ].map(({ path, message }) => ({ path: [index, ...path], message })),
  );
}

function problemsWithEntry(entry: CompleteEntry): Objection[] {
  return [
    ...problemsWithUrls(entry),
    ...problemsWithScopes(entry),
    ...problemsWithPrefix(entry),
    ...problemsWithMeetingRules(entry),
  ];
}

function problemsWithUrls(entry: CompleteEntry): Objection[] {
  const problems: Objection[] = [];
  const object = (key: string, message: string) => problems.push({ path: [key], message });
  if (!isFetchable(entry.issuer)) {
    object(
      'issuer',
      `"${entry.issuer}" is not an https URL, so anyone on the way could put keys of their own in its place; use https (http only on localhost, 127.0.0.1 or [::1])`,
    );
  } else if (/[?#|\s]/.test(withPlaceholders(entry.issuer) ?? '')) {
    object(
      'issuer',
      `"${entry.issuer}" contains ?, #, | or a space, which no issuer identifier has and which would let two callers share one name in the audit; write exactly what the tokens have in "iss"`,
    );
  }
  if (entry.jwksUri !== undefined && !isFetchable(entry.jwksUri)) {
    object(
      'jwksUri',
      `"${entry.jwksUri}" is not an https URL, so anyone on the way could answer with keys of their own and sign any token; use https (http only on localhost, 127.0.0.1 or [::1])`,
    );
  }
  if (entry.audience.length === 0 && entry.clientIds.length === 0) {
    object(
      'audience',
      'neither audience nor clientIds is given, so a token that this issuer made for any other application would be good here; list the audience of this API, or the client ids that may call it',
    );
  }
  return problems;
}

function selfScopes({ scopes }: CompleteEntry): string[] {
  return [scopes.self ?? []].flat();
}

function problemsWithScopes(entry: CompleteEntry): Objection[] {
  const { delegate } = entry.scopes;
  const self = selfScopes(entry);
  const problems: Objection[] = [];
  if (delegate === undefined && self.length === 0) {
    problems.push({
      path: ['scopes'],
      message:
        'names no scope at all, so no token of this issuer could ever do anything, and a later default might let all of them in; name a delegate scope, a self scope, or both',
    });
  }
  if (delegate !== undefined && self.includes(delegate)) {
    problems.push({
      path: ['scopes', 'self'],
      message: `"${delegate}" is the delegate scope too, so every user who may only name itself could name everybody; use two different scopes`,
    });
  }
  for (const name of Object.keys(entry.ceilings)) {
    if (name !== delegate && !self.includes(name)) {
      problems.push({
        path: ['ceilings', name],
        message: `"${name}" is no scope of this issuer, so the ceiling would limit nobody; use one of its scopes as the key`,
      });
    }
  }
  return problems;
}

function problemsWithPrefix(entry: CompleteEntry): Objection[] {
  const prefix = entry.externalUserIdPrefix;
  const object = (message: string): Objection[] => [{ path: ['externalUserIdPrefix'], message }];
  if (!PREFIX_CHARACTERS.test(prefix)) {
    return object(
      `"${prefix}" has white space or a character that Chime does not allow in an ExternalUserId, so requests would fail or name others; use letters, digits and punctuation such as "acme:"`,
    );
  }
  if (prefix.length > MAX_PREFIX_LENGTH) {
    return object(
      `"${prefix}" has ${prefix.length} characters, which leaves too few of an ExternalUserId's 64 to tell users apart; use at most ${MAX_PREFIX_LENGTH}`,
    );
  }
  if (/^aws:/i.test(prefix)) {
    return object(
      `"${prefix}" begins with "aws:", which Chime keeps for itself, so every request would fail; begin it with something else`,
    );
  }
  return [];
}

function problemsWithMeetingRules(entry: CompleteEntry): Objection[] {
  const { scopes, tenantClaim, tenants, meetingsClaim, meetingsClaimRequired, allowAnyMeeting } = entry;
  const listsMeetings = meetingsClaim !== undefined && meetingsClaimRequired;
  const bound = tenantClaim !== undefined || listsMeetings;
  const problems: Objection[] = [];
  const object = (key: string, message: string) => problems.push({ path: [key], message });
  if (tenants !== undefined && tenantClaim === undefined) {
    object(
      'tenants',
      'is given without tenantClaim, so nothing would hold this issuer to these tenants; name the claim that holds the tenant',
    );
  }
  if (allowAnyMeeting && bound) {
    object(
      'allowAnyMeeting',
      `contradicts ${tenantClaim !== undefined ? 'tenantClaim' : 'the required meetingsClaim'}, so one of the two is not meant and the wrong one could win; remove one of them`,
    );
  }
  if (scopes.self !== undefined && !bound && !allowAnyMeeting) {
    object(
      'scopes',
      `"${selfScopes(entry).join(' ')}" lets a user name itself and ${
        meetingsClaim === undefined ? 'no rule ties its token to a meeting' : 'meetingsClaim is not required'
      }, so it could enter every meeting of the account; name a tenantClaim or a required meetingsClaim, or say "allowAnyMeeting": true`,
    );
  }
  return problems;
}

function problemsBesideOthers(
  entry: CompleteEntry,
  earlier: CompleteEntry[],
  all: CompleteEntry[],
): Objection[] {
  const problems: Objection[] = [];
  const object = (key: string, message: string) => problems.push({ path: [key], message });

  if (earlier.some(({ issuer }) => issuer === entry.issuer)) {
    object(
      'issuer',
      `"${entry.issuer}" is listed twice, so the laxer rules of the two could win; make one entry of them`,
    );
  }

  const sameKeys = earlier.find((other) => jwksUriOf(other) === jwksUriOf(entry));
  if (sameKeys !== undefined && sameKeys.issuer !== entry.issuer) {
    object(
      'jwksUri',
      `"${jwksUriOf(entry)}" is where the keys of ${sameKeys.issuer} are too, so each could sign for the other's users; give each the keys of its own`,
    );
  }

  const prefix = entry.externalUserIdPrefix;
  if (prefix === '') {
    object(
      'externalUserIdPrefix',
      'is empty although there are several issuers, so this one could name the users of another and be handed their join tokens; give each issuer a prefix of its own',
    );
  }
  const alike = earlier.find((other) => beginAlike(other.externalUserIdPrefix, prefix));
  if (alike !== undefined) {
    object(
      'externalUserIdPrefix',
      `"${prefix}" and "${alike.externalUserIdPrefix}" of ${alike.issuer} begin alike, so both could make the same ExternalUserId and be handed each other's join tokens; let neither be the beginning of the other`,
    );
  }

  const tenantsMatter = all.some(({ tenantClaim }) => tenantClaim !== undefined);
  if (entry.tenantClaim !== undefined && entry.tenants === undefined) {
    object(
      'tenants',
      'is missing although there are several issuers, so this one could speak for the tenants of another; list the tenants it may speak for',
    );
  }
  if (entry.tenantClaim === undefined && tenantsMatter && !entry.allowAnyMeeting) {
    object(
      'tenantClaim',
      'is missing although another issuer has one, so this one could enter the meetings of every tenant; name its tenantClaim and tenants, or say "allowAnyMeeting": true',
    );
  }
  for (const other of earlier) {
    const shared = entry.tenants?.find((tenant) => other.tenants?.includes(tenant));
    if (shared !== undefined) {
      object(
        'tenants',
        `"${shared}" is a tenant of ${other.issuer} too, so each could enter the meetings of the other's users; let one issuer speak for it`,
      );
    }
  }
  return problems;
}

/** Whether one is the beginning of the other; case is ignored, as Chime does not document that it tells names apart by it. */
function beginAlike(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  return a.startsWith(b) || b.startsWith(a);
}

/** What is only known at deployment, such as the address of a pool of the same app, is taken as it is, what is around it is not. */
function isFetchable(text: string): boolean {
  const known = withPlaceholders(text);
  if (known === undefined) return true;
  const url = URL.parse(known);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

/** Whether a URL's host can only be the machine itself. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
