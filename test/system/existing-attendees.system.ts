import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AuditedBatch, auditedMeeting } from '../support/audited.ts';
import { createSigningKey, signToken, startKeyServer } from '../support/issuer.ts';
import { attendees, bearer, nowSeconds, startWorld, type World } from '../support/system-world.ts';

// A host adds a guest with everything; then the guest asks for itself, with a ceiling.

const ALL = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' };
const WATCH = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' };

const key = createSigningKey('k1');
let keys: Awaited<ReturnType<typeof startKeyServer>>;
let world: World;

beforeAll(async () => {
  keys = await startKeyServer([key]);
  const issuer = {
    jwksUri: keys.jwksUri,
    audience: ['usher'],
    accessTokenMark: { audience: true },
    scopes: { delegate: 'host', self: 'guest' },
    tenantClaim: 'tenant',
  };
  world = await startWorld(
    [
      {
        ...issuer,
        issuer: 'by-subject',
        externalUserIdPrefix: 'a:',
        tenants: ['acme'],
        ceilings: { guest: WATCH },
      },
      {
        ...issuer,
        issuer: 'by-nickname',
        jwksUri: `${keys.jwksUri}?of=nicknames`,
        externalUserIdPrefix: 'b:',
        externalUserIdClaim: 'nickname',
        tenants: ['globex'],
        ceilings: { guest: WATCH, host: { ...ALL, Content: 'Receive' } },
      },
    ],
    { processes: 1 },
  );
}, 60_000);
afterAll(async () => {
  await world?.system.stop();
  await keys.close();
});

function tokenOf(issuer: string, scope: string, claims: object = {}): string {
  const tenant = issuer === 'by-subject' ? 'acme' : 'globex';
  return signToken(key, {
    iss: issuer,
    aud: 'usher',
    sub: 'mia',
    nickname: 'mia',
    scope,
    tenant,
    exp: nowSeconds() + 300,
    ...claims,
  });
}

/** The guest's answer and record, where a host has added it before. */
async function guestAfterHost(issuer: string, prefix: string, existing: string) {
  const meetingId = await world.meetingOf('acme', 'globex');
  const ask = (token: string, body: string) => world.ask({ headers: bearer(token), body, meetingId });
  await world.mode({ existing: 'keep' });
  const added = await ask(
    tokenOf('by-subject', 'host', { sub: 'hanna' }),
    attendees('a:mia', { ExternalUserId: 'a:other', Capabilities: ALL }),
  );
  expect(added.status).toBe(200);
  if (prefix === 'b:') await addByChime(meetingId);
  await world.mode({ existing });
  const answer = await ask(tokenOf(issuer, 'guest'), attendees(`${prefix}mia`));
  const batches = await auditedMeeting(world.system, meetingId);
  const batch = batches.find(({ intent }) => intent?.caller.scope === 'guest') as AuditedBatch;
  return { answer: JSON.parse(answer.text), batch, headers: answer.headers, meetingId };
}

/** A backend with AWS credentials adds `b:mia` with everything, past Usher. */
async function addByChime(meetingId: string): Promise<void> {
  const { chimeUrl, region } = world.system.environment;
  const { ChimeSDKMeetings } = await import('@aws-sdk/client-chime-sdk-meetings');
  const client = new ChimeSDKMeetings({
    region,
    endpoint: chimeUrl,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  await client.batchCreateAttendee({ MeetingId: meetingId, Attendees: [{ ExternalUserId: 'b:mia' }] });
  client.destroy();
}

describe('a guest that a host added with all capabilities', () => {
  it.each([
    ['keep', ALL, 'ceiling'],
    ['overwrite', WATCH, undefined],
    ['ignore', WATCH, undefined],
    ['duplicate', WATCH, undefined],
  ])('is released if Chime would %s it, with %j and the mark %s', async (existing, capabilities, above) => {
    const { answer, batch } = await guestAfterHost('by-subject', 'a:', existing);
    expect(answer).toMatchObject({
      Attendees: [{ ExternalUserId: 'a:mia', Capabilities: capabilities }],
      Errors: [],
    });
    expect(batch.intent?.requested).toEqual([{ externalUserId: 'a:mia', capabilities: WATCH }]);
    expect(batch.outcome?.issued).toMatchObject([{ externalUserId: 'a:mia', capabilities }]);
    expect(batch.outcome?.issued[0]?.above).toBe(above);
  });

  it('gets Chime’s error if Chime would reject it', async () => {
    const { answer, batch } = await guestAfterHost('by-subject', 'a:', 'reject');
    expect(answer).toMatchObject({
      Attendees: [],
      Errors: [{ ExternalUserId: 'a:mia', ErrorCode: 'Conflict' }],
    });
    expect(batch.outcome?.issued).toEqual([]);
  });

  it('is withheld if a user can change the claim that holds its name', async () => {
    const { answer, batch } = await guestAfterHost('by-nickname', 'b:', 'keep');
    expect(answer).toMatchObject({
      Attendees: [],
      Errors: [
        {
          ErrorCode: 'Forbidden',
          ErrorMessage:
            'Denied by the rule capability-ceiling: Audio is at most Receive, Video is at most Receive, Content is at most Receive.',
        },
      ],
    });
    expect(batch.outcome?.withheld).toMatchObject([{ externalUserId: 'b:mia', rule: 'capability-ceiling' }]);
    const { JoinToken } = (await world.attendeesOf(batch.meetingId)).find(
      ({ ExternalUserId }) => ExternalUserId === 'b:mia',
    ) as { JoinToken: string };
    expect(JSON.stringify(answer)).not.toContain(JoinToken);
  });
});

describe('a delegate with a ceiling', () => {
  it.each(['b:mia', 'b:host'])('gets nothing above it, not even %s under its own name', async (name) => {
    const meetingId = await world.meetingOf('globex');
    await world.mode({ existing: 'keep' });
    await addByChime(meetingId);
    const token = tokenOf('by-nickname', 'host guest', { sub: 'host', nickname: name.slice(2) });
    const answer = await world.ask({ headers: bearer(token), body: attendees('b:mia'), meetingId });
    expect(JSON.parse(answer.text)).toMatchObject({ Attendees: [], Errors: [{ ErrorCode: 'Forbidden' }] });
  });
});

describe('a request above the ceiling', () => {
  it('is 403, with the media and the most that is allowed, and the rule in a header for pages', async () => {
    const meetingId = await world.meetingOf('acme');
    const answer = await world.ask({
      headers: [...bearer(tokenOf('by-subject', 'guest')), 'Origin', 'http://localhost:5173'],
      body: attendees({ ExternalUserId: 'a:mia', Capabilities: { ...WATCH, Video: 'SendReceive' } }),
      meetingId,
    });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text).Message).toBe(
      'Denied by the rule capability-ceiling: Video is at most Receive.',
    );
    expect(answer.headers['x-usher-rule']).toBe('capability-ceiling');
    expect(answer.headers['access-control-expose-headers']?.split(',')).toContain('x-usher-rule');
  });
});
