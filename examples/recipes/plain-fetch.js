// Without any SDK, in Node or in a page. As a command: USHER_URL=… USHER_TOKEN=… MEETING_ID=… node plain-fetch.js alice bob

/**
 * Creates attendees, and retries what is safe to retry.
 *
 * @param {{ url: string, token: string, meetingId: string, attendees: object[], attempts?: number }} options
 * `url` without a slash at the end
 * @throws an Error with `code`, `requestId` and `status`
 */
export async function createAttendees({ url, token, meetingId, attendees, attempts = 6 }) {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(`${url}/meetings/${meetingId}/attendees?operation=batch-create`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ Attendees: attendees }),
    }).catch((cause) => ({ ok: false, status: 0, cause }));
    if (response.ok) return response.json();
    // A retry is safe: an existing name gives the same attendee again.
    const repeatable = [0, 429, 500, 503].includes(response.status);
    if (!repeatable || attempt === attempts) throw await errorOf(response);
    const backoffMs = Math.random() * 1_000 * 2 ** (attempt - 1);
    const retryAfterMs = Number(response.headers?.get('Retry-After') ?? 0) * 1_000;
    await new Promise((resolve) => setTimeout(resolve, Math.max(backoffMs, retryAfterMs)));
  }
}

async function errorOf(response) {
  if (response.status === 0) return response.cause;
  const { Code, Message, RequestId } = await response.json().catch(() => ({}));
  return Object.assign(new Error(Message ?? `HTTP ${response.status}`), {
    code: Code,
    requestId: RequestId,
    status: response.status,
  });
}

// Node 20 does not have `import.meta.main`, and a page has no `process`.
if (import.meta.main ?? globalThis.process?.argv[1]?.endsWith('plain-fetch.js')) {
  const { USHER_URL, USHER_TOKEN, MEETING_ID } = process.env;
  const attendees = process.argv.slice(2).map((ExternalUserId) => ({ ExternalUserId }));
  try {
    const answer = await createAttendees({
      url: USHER_URL,
      token: USHER_TOKEN,
      meetingId: MEETING_ID,
      attendees,
    });
    console.log(JSON.stringify(answer));
  } catch (error) {
    console.error(`${error.code}: ${error.message}\nRequest ${error.requestId}`);
    process.exitCode = 1;
  }
}
