import { z } from 'zod';
import type { IssuerRules } from '../../lambda/model/issuer-rules.ts';
import { problemsWithIssuers } from './issuer-checks.ts';
import { issuerEntrySchema, type WrittenEntry } from './issuer-entry.ts';
import { GENERIC, PROVIDERS } from './providers.ts';

/**
 * The configuration's `issuers`, complete: every default filled in, every entry safe alone and together with the
 * others. The annotation keeps the schema and the handler's `IssuerRules` the same shape.
 */
export const issuersSchema: z.ZodType<IssuerRules[]> = z
  .array(issuerEntrySchema)
  .superRefine((entries, context) => {
    for (const { path, message } of problemsWithIssuers(entries, entries.map(rulesOf))) {
      context.addIssue({ code: 'custom', path, message });
    }
  })
  .transform((entries) => entries.map(rulesOf))
  .meta({ complete: { name: 'IssuerRules[]', from: '../../lambda/model/issuer-rules.ts' } });

/** Claims with a user's id at its provider, which no user can change. */
const UNCHANGEABLE_CLAIMS = new Set(['sub', 'oid']);

/** Omitted keys come from the provider's preset, then from the defaults. */
function rulesOf(entry: WrittenEntry): IssuerRules {
  const { provider, jwksUri, clientIdClaim, scopeClaim, ...written } = entry;
  const { accessTokenMark, ...preset } = provider === undefined ? GENERIC : PROVIDERS[provider];
  const one = (value: string | undefined) => (value === undefined ? undefined : [value]);
  const { externalUserIdClaim } = written;
  return {
    ...written,
    jwksUris: written.jwksUris ?? one(jwksUri ?? preset.jwksUri(entry.issuer)) ?? [],
    // Without any, the entry is refused.
    accessTokenMark: written.accessTokenMark ?? (provider === undefined ? {} : accessTokenMark),
    clientIdClaims: written.clientIdClaims ?? one(clientIdClaim) ?? preset.clientIdClaims,
    subjectClaims: written.subjectClaims ?? preset.subjectClaims,
    algorithms: written.algorithms ?? preset.algorithms,
    scopeClaims: written.scopeClaims ?? one(scopeClaim) ?? preset.scopeClaims,
    existing: written.existing ?? (UNCHANGEABLE_CLAIMS.has(externalUserIdClaim) ? 'release' : 'withhold'),
  };
}
