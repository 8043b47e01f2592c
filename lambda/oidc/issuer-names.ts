/** The configured issuer that a token's issuer probably means: equal except for spelling or version. */
export function nearestIssuer(issuer: string, configured: readonly string[]): string | undefined {
  const wanted = kernelOf(issuer);
  return wanted === '' ? undefined : configured.find((one) => kernelOf(one) === wanted);
}

/** Microsoft Entra ID has several spellings of a tenant's issuer, by the version of the token and by the cloud. */
const ENTRA_ISSUER =
  /^(?:sts\.windows\.net|login\.microsoftonline\.(?:com|us)|sts\.chinacloudapi\.cn|login\.partner\.microsoftonline\.cn|[^/]+\.ciamlogin\.com)\//;
/** Azure AD B2C has one issuer for a tenant or one for each policy, by its settings. */
const B2C_ISSUER = /^([^/]+\.b2clogin\.com)\/(?:tfp\/([^/]+)\/[^/]+|([^/]+))$/;

function kernelOf(issuer: string): string {
  return (
    issuer
      .trim()
      .toLowerCase()
      .replace(/^https?:\/\//, '')
      // The look behind keeps a flood of slashes from being scanned once for each of them.
      .replace(/(?<!\/)\/+$/, '')
      .replace(/\/v\d+(?:\.\d+)?$/, '')
      .replace(ENTRA_ISSUER, 'entra/')
      .replace(B2C_ISSUER, '$1/$2$3')
      // Keycloak before version 17.
      .replace('/auth/realms/', '/realms/')
  );
}
