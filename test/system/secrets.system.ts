import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { createSetting, HANDLER_DIRECTORY, type Setting } from '../../bench/setting.ts';
import { startLoggedProcess } from '../support/logged-process.ts';

// Whatever an operator sets the log level to, and whatever else Powertools reads, the log holds no secret and no name.

let setting: Setting;
beforeAll(async () => {
  setting = await createSetting();
}, 30_000);
afterAll(() => setting.close());

/** Powertools' own (its documentation, Logger, "Log levels"). */
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL'];
const NAME = 'b1e5a6d2-0000-4000-8000-';
const PROBE = 's3cret-of-a-body';
const TOKEN_PROBE = 'eyJhbGciOiJub25lIn0.czNjcmV0.czNjcmV0';

/** One request for each way through the function. */
async function events(): Promise<APIGatewayProxyEvent[]> {
  const [one, hundred] = (await Promise.all([1, 100].map((count) => setting.eventFor(count)))) as [
    APIGatewayProxyEvent,
    APIGatewayProxyEvent,
  ];
  const withToken = (token: string) => ({
    headers: { ...one.headers, Authorization: `Bearer ${token}` },
    multiValueHeaders: { ...one.multiValueHeaders, Authorization: [`Bearer ${token}`] },
  });
  const otherMeeting = '00000000-0000-4000-8000-000000000000';
  return [
    one,
    hundred,
    { ...one, body: `{"Attendees":[{"ExternalUserId":"${PROBE}` },
    { ...one, body: JSON.stringify({ Attendees: [{ ExternalUserId: `aws:${PROBE}`, [PROBE]: PROBE }] }) },
    { ...one, ...withToken(TOKEN_PROBE) },
    { ...one, ...withToken(`${setting.token.slice(0, -8)}AAAAAAAA`) },
    { ...one, httpMethod: 'GET' },
    { ...one, resource: '/{proxy+}', path: `/${PROBE}` },
    // The stand-in knows one meeting only, and ends the connection for another.
    {
      ...one,
      path: one.path.replace(/[0-9a-f-]{36}/, otherMeeting),
      pathParameters: { MeetingId: otherMeeting },
    },
  ];
}

it.each(LEVELS)(
  'prints neither tokens, bodies, names nor subjects at the level %s',
  async (level) => {
    const process = await startLoggedProcess(HANDLER_DIRECTORY, {
      ...setting.env,
      POWERTOOLS_LOG_LEVEL: level,
      // Of Lambda's advanced logging controls, before which Powertools' own gives way.
      AWS_LAMBDA_LOG_LEVEL: level === 'CRITICAL' ? 'FATAL' : level,
      POWERTOOLS_LOGGER_LOG_EVENT: 'true',
    });
    const answers: { statusCode: number; body: string }[] = [];
    for (const event of await events())
      answers.push((await process.invoke(event)) as (typeof answers)[number]);
    const printed = await process.close();
    await setting.standIn.take();

    expect(answers.map(({ statusCode }) => statusCode)).toEqual([
      200, 200, 400, 400, 401, 401, 400, 404, 503,
    ]);
    expect(printed.includes('"state":"ISSUED"')).toBe(['TRACE', 'DEBUG', 'INFO'].includes(level));
    const joinTokens = answers
      .filter(({ statusCode }) => statusCode === 200)
      .flatMap(({ body }) =>
        JSON.parse(body).Attendees.map(({ JoinToken }: { JoinToken: string }) => JoinToken),
      );
    expect(joinTokens).toHaveLength(101);
    const [, payload = '', signature = ''] = setting.token.split('.');
    for (const secret of [
      ...joinTokens,
      payload,
      signature,
      TOKEN_PROBE,
      NAME,
      PROBE,
      'ExternalUserId',
      '"backend"',
    ]) {
      expect(printed).not.toContain(secret);
    }
  },
  30_000,
);
