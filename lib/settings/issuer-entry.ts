import { z } from 'zod';
import { SIGNATURE_ALGORITHMS } from '../../lambda/model/issuer-rules.ts';
import { PROVIDERS, type Provider } from './providers.ts';
import { timeSpan } from './time-span.ts';

/** Chime's `TenantId`: 2 to 256 of these characters, none of them four times in a row. */
const TENANT_ID = /^(?!.*?(.)\1{3})[-_!@#$a-zA-Z0-9]{2,256}$/;

/** Members that every object has; a claim or scope with such a name is an attack or a mistake. */
const INHERITED = /^(?:__proto__|prototype|constructor)$/;

/** What a token cannot be off by without being another day's. */
const MAX_CLOCK_SKEW_SECONDS = 300;

const DEFAULT_CLOCK_SKEW_SECONDS = 30;

const text = z.string().min(1);
const claimName = text.refine(
  (name) => name.split('.').every((part) => !INHERITED.test(part)) && !/^\.|\.\.|\.$/.test(name),
  {
    error:
      'is not a valid claim: a name or path must not have an empty part, or one called __proto__, prototype or constructor; use the name of a claim, or a path such as realm_access.roles',
  },
);
const claimNames = z.array(claimName).min(1);
const scopeName = text.refine(
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
  (name) => !/[\u0000-\u001f\u007f]|^\s|\s$/.test(name) && !INHERITED.test(name),
  {
    error:
      'is not a valid scope: it is empty, starts or ends with a space, has a control character, or is called __proto__, prototype or constructor; use the scope exactly as the token has it',
  },
);
const clientId = z.string().regex(/^[\x20-\x7e]{1,255}$/, {
  error:
    'is not a valid client id: RFC 6749 appendix A.1 allows printable ASCII, and Usher at most 255 characters; use the id exactly as the issuer lists it',
});
const mediaCapability = z.enum(['SendReceive', 'Send', 'Receive', 'None']);
const capabilities = z
  .strictObject({ Audio: mediaCapability, Video: mediaCapability, Content: mediaCapability })
  .meta({ ts: { name: 'Capabilities', from: '../../lambda/model/attendees.ts' } });

const accessTokenMark = z
  .strictObject({
    typ: z.exactOptional(text).meta({
      description: "The header's `typ`, such as `at+jwt` (RFC 9068).",
      leftOut: 'not checked',
    }),
    claim: z.exactOptional(claimName).meta({
      description: 'A claim that only access tokens have, or have with one of `values`.',
      leftOut: 'not checked',
    }),
    values: z.exactOptional(z.array(text).min(1)).meta({
      description: 'The values of that claim; a number is written as text.',
      leftOut: 'any value: the claim only has to be present',
    }),
    audience: z.exactOptional(z.boolean()).meta({
      description:
        'States that no ID token of the issuer can have the `audience`, so the audience alone marks access tokens.',
      leftOut: 'not checked',
    }),
  })
  .meta({ title: 'AccessTokenMarkSettings', description: 'How an access token differs from an ID token.' });

/** One entry of the configuration's `issuers`: keys with a default may be left out. */
export const issuerEntrySchema = z
  .strictObject({
    issuer: text.meta({ description: 'The exact `iss` claim.' }),
    provider: z.exactOptional(z.enum(Object.keys(PROVIDERS) as [Provider, ...Provider[]])).meta({
      description:
        'The identity provider, which sets the defaults of this entry (docs/identity-providers.md).',
      leftOut: 'no further defaults',
    }),
    jwksUri: z.exactOptional(text).meta({
      description: 'The https address of the keys of the issuer (RFC 7517).',
      leftOut: '`issuer` and `/.well-known/jwks.json`',
    }),
    jwksUris: z.exactOptional(z.array(text).min(1).max(10)).meta({
      description: 'The same for an issuer with several key sets under one name.',
      leftOut: '`jwksUri` alone',
    }),
    audience: z.array(text).default([]).meta({
      description: "A token's `aud` must name one of these. Required, unless there are `clientIds`.",
    }),
    clientIds: z.array(clientId).default([]).meta({
      description: "A token's client must be one of these.",
      leftOut: 'any client of the issuer',
    }),
    clientIdClaim: z.exactOptional(claimName).meta({
      description: 'The claim that holds the client.',
      leftOut: 'the first of `client_id`, `azp`, `appid`, `cid` that a token has',
    }),
    clientIdClaims: z.exactOptional(claimNames).meta({
      description: 'The same for several claims; the first that a token has counts.',
      leftOut: '`clientIdClaim` alone',
    }),
    subjectClaims: z.exactOptional(claimNames).meta({
      description:
        'The claims that hold the subject, by which the audit identifies a caller; the first that a token has counts.',
      leftOut: '`sub`',
    }),
    algorithms: z
      .exactOptional(
        z
          .array(
            z
              .enum(SIGNATURE_ALGORITHMS)
              .meta({ ts: { name: 'SignatureAlgorithm', from: '../../lambda/model/issuer-rules.ts' } }),
          )
          .min(1),
      )
      .meta({
        description: 'The signature algorithms that are accepted (RFC 7518 section 3.1, RFC 8037).',
        leftOut: '`RS256`',
      }),
    accessTokenMark: z.exactOptional(accessTokenMark).meta({
      description:
        'How a token shows that it is an access token (RFC 8725 section 3.12). Required without `provider`.',
      leftOut: "the provider's",
    }),
    scopeClaim: z.exactOptional(claimName).meta({
      description:
        "The claim that lists a token's scopes, or a path to it: a string with spaces between, a list, or an object whose keys they are. A claim that is true is the scope `true`.",
      leftOut: '`scope` (RFC 8693 section 4.2)',
    }),
    scopeClaims: z.exactOptional(claimNames).meta({
      description: 'The same for several claims, whose scopes are taken together.',
      leftOut: '`scopeClaim` alone',
    }),
    scopes: z
      .strictObject({
        delegate: z.exactOptional(scopeName).meta({
          description: 'A caller with this scope may name any ExternalUserId under `externalUserIdPrefix`.',
          leftOut: 'no caller may',
        }),
        self: z.exactOptional(z.union([scopeName, z.array(scopeName).min(1)])).meta({
          description:
            'A caller with this scope may name itself, once. Several scopes can have different ceilings, for guests and viewers for example; if a token has more than one, the first that is listed here counts.',
          leftOut: 'no caller may',
        }),
      })
      .meta({ title: 'IssuerScopes', description: "An issuer's scopes and what each allows; one at least." }),
    externalUserIdClaim: claimName.default('sub').meta({
      description: "The claim that holds the caller's own ExternalUserId.",
    }),
    externalUserIdPrefix: z.string().default('').meta({
      description:
        'The prefix that Usher puts before that claim, and that every name of a delegate must start with. Required if there are several issuers.',
    }),
    existing: z.exactOptional(z.enum(['release', 'withhold'])).meta({
      description:
        'Whether a self caller gets its own existing attendee if a host gave that attendee more than the ceiling of the caller.',
      leftOut:
        '`release` where `externalUserIdClaim` is `sub` or `oid`, which no user can change; else `withhold`',
    }),
    tenantClaim: z.exactOptional(claimName).meta({
      description:
        "The claim that names the caller's tenants: a string or a list. One must be among the meeting's own `TenantIds`.",
      leftOut: 'tenants are not checked',
    }),
    tenants: z
      .exactOptional(
        z
          .array(
            z.string().regex(TENANT_ID, {
              error:
                'is not a valid tenant: Chime allows 2 to 256 characters of -_!@#$a-zA-Z0-9, none four times in a row',
            }),
          )
          .min(1),
      )
      .meta({
        description: 'The tenants that this issuer may speak for. Required if there are several issuers.',
        leftOut: 'any',
      }),
    meetingsClaim: z.exactOptional(claimName).meta({
      description: 'The claim that lists the meeting ids that a token is good for: a list or one string.',
      leftOut: 'any meeting',
    }),
    meetingsClaimRequired: z.boolean().default(true).meta({
      description: 'Whether a token without that claim is refused.',
    }),
    allowAnyMeeting: z.boolean().default(false).meta({
      description: 'Lets self callers of this issuer join any meeting of the account.',
    }),
    ceilings: z.record(z.string(), capabilities).default({}).meta({
      description: 'The most that a scope may ask for, by scope.',
    }),
    clockSkewSeconds: z
      .int()
      .min(0)
      .max(MAX_CLOCK_SKEW_SECONDS)
      .default(DEFAULT_CLOCK_SKEW_SECONDS)
      .meta({
        ...timeSpan,
        description: 'The clock skew that is allowed for `exp`, `nbf` and `iat`, in seconds.',
      }),
  })
  .meta({ title: 'IssuerEntry', description: 'One issuer, and what its tokens may do.' });

/** An entry with the defaults that depend on nothing else. */
export type WrittenEntry = z.infer<typeof issuerEntrySchema>;
