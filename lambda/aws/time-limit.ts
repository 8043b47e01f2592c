/**
 * Aborts a call after a time. `AbortSignal.timeout` would do the same, but each of those stays in memory until its time
 * is over, however early the call was answered.
 *
 * @throws what the call throws, which after `timeoutMs` is an error of the name `TimeoutError`
 */
export async function withinTime<Answer>(
  timeoutMs: number,
  call: (abortSignal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  // A call that does not settle when aborted, as after an answer of 101, is not waited for.
  const cut = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new DOMException('Out of time', 'TimeoutError');
      controller.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([call(controller.signal), cut]);
  } catch (error) {
    // If a call consists of several, the others must not go on unseen.
    controller.abort(error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
