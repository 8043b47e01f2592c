/** The configured issuer that a token's issuer was probably meant to be: the same but for spelling or version. */
export function nearestIssuer(issuer: string, configured: readonly string[]): string | undefined {
  const wanted = kernelOf(issuer);
  return wanted === '' ? undefined : configured.find((one) => kernelOf(one) === wanted);
}

/** Microsoft Entra ID writes one tenant's issuer in two ways, by the version of the token. */
const ENTRA_ISSUER = /^(?:sts\.windows\.net|login\.microsoftonline\.com)\//;

function kernelOf(issuer: string): string {
  return issuer
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '')
    .replace(/\/v\d+(?:\.\d+)?$/, '')
    .replace(ENTRA_ISSUER, 'entra/');
}
