/**
 * Where the services are: at their addresses in their Regions, which are the same in all Regions that Chime is to be had
 * from, or where the variables say that all AWS SDKs know
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html). The function's own Region is set by Lambda.
 */
export function readServices(env: Record<string, string | undefined>, meetingsRegion: string) {
  const region = env['AWS_REGION'];
  if (region === undefined) throw new Error('The environment variable AWS_REGION is missing.');
  const service = (variable: string, host: string, region: string) => ({
    region,
    endpoint: env[variable] ?? env['AWS_ENDPOINT_URL'] ?? `https://${host}.${region}.amazonaws.com`,
  });
  return {
    chime: service('AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS', 'meetings-chime', meetingsRegion),
    dynamodb: service('AWS_ENDPOINT_URL_DYNAMODB', 'dynamodb', region),
  };
}
