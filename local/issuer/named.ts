import type { IssuerAddresses } from './issuer.ts';

/**
 * In a configuration for one machine, the word `local` stands for the issuer that runs beside the rest.
 *
 * @param written not checked yet: it can be anything
 */
export function namesLocalIssuer(written: unknown): boolean {
  return entriesOf(written).some(isLocal);
}

/** A configuration that names it, with its addresses in place of the word. */
export function withLocalIssuer(
  written: unknown,
  { issuer, jwksUri }: Pick<IssuerAddresses, 'issuer' | 'jwksUri'>,
): object {
  const issuers = entriesOf(written).map((entry) => (isLocal(entry) ? { ...entry, issuer, jwksUri } : entry));
  return { ...(written as object), issuers };
}

function entriesOf(written: unknown): unknown[] {
  const issuers = (written as { issuers?: unknown } | null)?.issuers;
  return Array.isArray(issuers) ? issuers : [];
}

function isLocal(entry: unknown): entry is { issuer: 'local' } {
  return (entry as { issuer?: unknown } | null)?.issuer === 'local';
}
