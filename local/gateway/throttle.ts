/**
 * A token bucket (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html).
 *
 * @param limit how fast it fills, and how much it holds
 * @param nowMs a clock, in milliseconds
 * @returns takes a token; `false` where there is none
 */
export function createThrottle(
  { requestsPerSecond, burst }: { requestsPerSecond: number; burst: number },
  nowMs: () => number,
): () => boolean {
  let tokens = burst;
  let filledMs = nowMs();
  return () => {
    const now = nowMs();
    tokens = Math.min(burst, tokens + ((now - filledMs) / 1000) * requestsPerSecond);
    filledMs = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
