/**
 * Makes a call that is cut after a time. `AbortSignal.timeout` would do the same, but every one of them stays until its
 * time is over, however long ago its call was answered.
 *
 * @throws what the call throws, which after `timeoutMs` is an error of the name `TimeoutError`
 */
export async function withinTime<Answer>(
  timeoutMs: number,
  call: (abortSignal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new DOMException('Out of time', 'TimeoutError')),
    timeoutMs,
  );
  try {
    return await call(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
