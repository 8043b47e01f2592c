import { connect } from 'node:net';
import { BatchCreateAttendeeCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { describe, expect, it } from '@jest/globals';
import { startChimeEmulator } from '../../../local/chime-emulator/server.ts';
import { rejectionOf, SIGNED, startEmulator } from '../../support/chime-emulator.ts';

describe('the signature', () => {
  const send = async (authorization?: string) => {
    const { url, calls } = await startEmulator();
    const response = await fetch(`${url}/meetings`, {
      method: 'POST',
      headers: { ...(authorization && { authorization }) },
      body: JSON.stringify({
        ClientRequestToken: 'token',
        ExternalMeetingId: 'standup',
        MediaRegion: 'us-east-1',
      }),
    });
    expect(await calls()).toMatchObject([{ operation: 'CreateMeeting', status: response.status }]);
    return response;
  };

  it('is required for the service chime', async () => {
    expect((await send(SIGNED)).status).toBe(200);
  });

  it.each([
    [undefined],
    ['Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln'],
    [SIGNED.replace('/chime/', '/execute-api/')],
    [SIGNED.replace('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1')],
    [SIGNED.replace('/20260101', '')],
    [SIGNED.replace('aws4_request', 'aws4')],
  ])('%s is refused', async (authorization) => {
    const response = await send(authorization);
    expect(response.status).toBe(401);
    expect(response.headers.get('x-amzn-errortype')).toBe('UnauthorizedException');
    expect(await response.json()).toMatchObject({ Code: 'Unauthorized' });
  });

  it('is required before a path is resolved', async () => {
    const { url } = await startEmulator();
    expect((await fetch(`${url}/nowhere`)).status).toBe(401);
  });

  it('gives the control Region of a meeting', async () => {
    const { raw } = await startEmulator();
    const body = JSON.stringify({
      ClientRequestToken: 'token',
      ExternalMeetingId: 'standup',
      MediaRegion: 'us-east-1',
    });
    const authorization = SIGNED.replace('us-east-1', 'us-gov-west-1');
    const created = await (await raw('POST', '/meetings', body, { authorization })).json();
    expect(created).toMatchObject({
      Meeting: { MeetingArn: expect.stringMatching(/^arn:aws-us-gov:chime:us-gov-west-1:/) },
    });
  });
});

describe('an answer on the wire', () => {
  it('has the request id in the header, and in an error also in the body', async () => {
    const { raw, meeting } = await startEmulator();
    const fine = await raw('GET', `/meetings/${await meeting()}`);
    expect(fine.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(fine.headers.get('content-type')).toBe('application/json');
    expect(fine.headers.get('x-amzn-errortype')).toBeNull();

    const missing = await raw('GET', '/meetings/00000000-0000-0000-0000-000000000000');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('x-amzn-errortype')).toBe('NotFoundException');
    expect(await missing.json()).toEqual({
      Code: 'NotFound',
      Message: 'Meeting 00000000-0000-0000-0000-000000000000 not found',
      RequestId: missing.headers.get('x-amzn-requestid'),
    });
  });

  it('has no body when something was deleted', async () => {
    const { raw, meeting } = await startEmulator();
    const deleted = await raw('DELETE', `/meetings/${await meeting()}`);
    expect(deleted.status).toBe(204);
    expect(deleted.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(deleted.headers.get('content-type')).toBeNull();
  });
});

describe('starting and stopping', () => {
  it('listens on the port that is asked for, on this machine only', async () => {
    const first = await startChimeEmulator();
    expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const port = Number(new URL(first.url).port);
    expect(await rejectionOf(startChimeEmulator({ port }))).toMatchObject({ code: 'EADDRINUSE' });
    await first.close();
    const second = await startChimeEmulator({ port });
    expect(second.url).toBe(first.url);
    await second.close();
  });

  it('ends idle connections and answers that are held back', async () => {
    const { url, close } = await startChimeEmulator();
    const { hostname, port } = new URL(url);
    const idle = connect(Number(port), hostname);
    const ended = new Promise((resolve) => idle.on('close', resolve));
    await new Promise((resolve) => idle.on('connect', resolve));
    await fetch(`${url}/_emulator/faults`, { method: 'POST', body: JSON.stringify({ latencyMs: 60_000 }) });
    const waiting = rejectionOf(fetch(`${url}/meetings/x`, { headers: { authorization: SIGNED } }));
    while (!(await (await fetch(`${url}/_emulator/calls`)).text()).includes('pending'));
    await close();
    expect((await waiting).message).toBe('fetch failed');
    await ended;
  });

  it('logs a call whose client leaves in the middle of the body', async () => {
    const { url, calls, client, meeting } = await startEmulator();
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write('POST /meetings HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"Clien');
    while ((await calls()).length === 0);
    socket.destroy();
    while ((await calls())[0]?.outcome === 'pending');
    expect(await calls()).toMatchObject([
      { operation: 'CreateMeeting', outcome: 'client-gone', status: null },
    ]);
    const MeetingId = await meeting();
    const Attendees = [{ ExternalUserId: 'alice' }];
    expect(
      (await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees }))).Attendees,
    ).toHaveLength(1);
  });
});
