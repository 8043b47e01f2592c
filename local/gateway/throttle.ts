/**
 * A token bucket (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html).
 *
 * @param limit its rate and its capacity
 * @param nowMs a clock, in milliseconds
 * @returns takes a token; `false` if none is left
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
