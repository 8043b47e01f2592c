import {
  BatchCreateAttendeeCommand,
  type BatchCreateAttendeeCommandInput,
  type ChimeSDKMeetingsClient,
  DeleteMeetingCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import fc from 'fast-check';
import type { LocalEnvironment } from '../../../local/environment.ts';
import { ABSENT_MEETING, clientOfChime, clientOfUsher, createMeeting, mintToken } from './clients.ts';
import { EXTERNAL_USER_ID_CHARACTERS, MAX_ATTENDEES, MEDIA_CAPABILITIES } from './model-facts.ts';

/** One request, to be sent to Chime directly and through Usher. */
export interface Case {
  what: string;
  meeting: keyof typeof MEETINGS | { id: string };
  /** The body's member `Attendees`; or the body itself, as a text that no SDK would write. */
  body: { Attendees: unknown } | { text: string };
}

/** Meetings of every kind that the operation treats in a way of its own; a new one for each case. */
const MEETINGS = {
  ordinary: {},
  'without video': { MeetingFeatures: { Video: { MaxResolution: 'None' } } },
  'without content': { MeetingFeatures: { Content: { MaxResolution: 'None' } } },
  'for 25': { MeetingFeatures: { Video: { MaxResolution: 'FHD' } } },
  'for one': { MeetingFeatures: { Attendee: { MaxCount: 1 } } },
  ended: {},
  'in capitals': {},
} as const;

/** What a caller of the SDK sees of an answer; what must differ (ids and times of the request) is left out. */
export interface Seen {
  status: number | undefined;
  class: string;
  code: unknown;
  /** As the SDK classifies it: `client` or `server`. */
  fault: unknown;
  /** Whether `RequestId` in the body is the one in the header. */
  requestIdHolds: boolean;
  message: string;
  attendees?: unknown;
  errors?: unknown;
}

export interface Difference {
  case: Case;
  direct: Seen;
  usher: Seen;
  /** Why it is intended; empty if it is not. */
  why: string[];
}

/** Many enough that none of them uses up its budget for meetings that are not to be found. */
const CALLERS = 8;

/** Sends a case both ways, to Chime first: what Usher then answers has to be the attendees that are there already. */
async function compare(
  environment: LocalEnvironment,
  one: Case,
  direct: ChimeSDKMeetingsClient,
  usher: ChimeSDKMeetingsClient,
): Promise<Difference | undefined> {
  const meetingId = await meetingFor(environment, one.meeting);
  const seenDirect = await send(direct, meetingId, one.body);
  const seenUsher = await send(usher, meetingId, one.body);
  if (JSON.stringify(seenDirect) === JSON.stringify(seenUsher)) return undefined;
  return { case: one, direct: seenDirect, usher: seenUsher, why: reasonsFor(one, seenDirect, seenUsher) };
}

/** The cases that are answered in two ways; `atOnce` of them are under way at any time. */
export async function compareAll(
  environment: LocalEnvironment,
  cases: Case[],
  atOnce: number,
): Promise<Difference[]> {
  const direct = clientOfChime(environment.chimeUrl, { maxAttempts: 1 });
  const tokens = await Promise.all(
    Array.from({ length: CALLERS }, (_, caller) => mintToken(environment, { sub: `backend-${caller}` })),
  );
  const ushers = tokens.map((token) => clientOfUsher(environment.apiUrl, token, { maxAttempts: 1 }));
  const differences: Difference[] = [];
  const left = cases.entries();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const [index, one] of left) {
        const usher = ushers[index % CALLERS] as ChimeSDKMeetingsClient;
        const difference = await compare(environment, one, direct, usher);
        if (difference !== undefined) differences.push(difference);
      }
    }),
  );
  return differences;
}

async function meetingFor(environment: LocalEnvironment, meeting: Case['meeting']): Promise<string> {
  if (typeof meeting !== 'string') return meeting.id;
  const id = await createMeeting(environment, MEETINGS[meeting]);
  if (meeting === 'ended') {
    await clientOfChime(environment.chimeUrl).send(new DeleteMeetingCommand({ MeetingId: id }));
  }
  return meeting === 'in capitals' ? id.toUpperCase() : id;
}

async function send(client: ChimeSDKMeetingsClient, MeetingId: string, body: Case['body']): Promise<Seen> {
  const command = new BatchCreateAttendeeCommand({
    MeetingId,
    ...('Attendees' in body ? body : { Attendees: [] }),
  } as BatchCreateAttendeeCommandInput);
  const text = 'text' in body ? body.text : JSON.stringify(body);
  // The SDK would drop what its schema does not know, and a hostile client would not.
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body: string; headers: Record<string, string> };
      request.body = text;
      request.headers['content-length'] = String(Buffer.byteLength(text));
      return next(args);
    },
    { step: 'build', priority: 'low' },
  );
  try {
    const { Attendees, Errors, $metadata } = await client.send(command);
    return {
      status: $metadata.httpStatusCode,
      class: 'success',
      code: undefined,
      fault: undefined,
      requestIdHolds: $metadata.requestId !== undefined,
      message: '',
      attendees: Attendees,
      errors: Errors,
    };
  } catch (error) {
    const { name, message, $metadata, $fault, Code, RequestId } = error as Record<string, never> & Error;
    return {
      status: ($metadata as { httpStatusCode?: number } | undefined)?.httpStatusCode,
      class: name,
      code: Code,
      fault: $fault,
      requestIdHolds: RequestId === ($metadata as { requestId?: string } | undefined)?.requestId,
      message,
    };
  }
}

/**
 * Why a difference is meant, one reason or several; none if it is not. None is in status, class, code, fault or request
 * id, but the one that says so: the others are in wording that no document gives, and that each side chose for itself.
 */
function reasonsFor(one: Case, direct: Seen, usher: Seen): string[] {
  const [chime, ours] = [violationsOf(direct.message), violationsOf(usher.message)];
  const { message: _direct, ...sureDirect } = direct;
  const { message: _usher, ...sureUsher } = usher;
  if (JSON.stringify(sureDirect) !== JSON.stringify(sureUsher)) {
    const bodyFirst =
      direct.class === 'NotFoundException' &&
      usher.class === 'BadRequestException' &&
      ours?.listed.every(({ kind }) => kind === 'content');
    return bodyFirst ? ['order: Usher judges all of the body before it asks for the meeting'] : [];
  }
  if (chime === undefined || ours === undefined) {
    if (!('text' in one.body)) return [];
    return chime?.listed[0]?.path === 'meetingId'
      ? ['order: Usher reads the body before it judges the id']
      : ['wording: a body that is no JSON object'];
  }
  if (chime.listed[0]?.path === 'meetingId' && ours.count > 1) {
    return ours.listed[0]?.path === 'meetingId'
      ? ['counting: Usher counts what is wrong with the id and with the body together']
      : [];
  }
  return reasonsInLists(chime.listed, ours);
}

function reasonsInLists(chime: Violation[], ours: { count: number; listed: Violation[] }): string[] {
  const reasons = new Set<string>();
  let expected = chime;
  const isConsequence = ({ path, kind }: Violation) =>
    kind === 'null' && expected.some((other) => path === `${other.path}.externalUserId`);
  if (expected.some(isConsequence)) {
    reasons.add('counting: the emulator misses the name of what is no structure as well');
    expected = expected.filter((violation) => !isConsequence(violation));
  }
  if (expected.some(({ kind }) => kind === 'meeting') && ours.listed.some(({ kind }) => kind === 'content')) {
    reasons.add('order: what depends on the meeting is left to Chime, which Usher asks last');
    expected = expected.filter(({ kind }) => kind !== 'meeting');
  }
  if (ours.count !== expected.length) return [];
  if (ours.listed.length < ours.count) {
    reasons.add('listing: Usher counts all violations and lists ten of them');
    expected = expected.slice(0, ours.listed.length);
  }
  const keys = (list: Violation[]) => list.map(({ path, kind }) => `${path} ${kind}`);
  if (JSON.stringify(keys(expected)) !== JSON.stringify(keys(ours.listed))) {
    if (JSON.stringify(keys(expected).toSorted()) !== JSON.stringify(keys(ours.listed).toSorted())) return [];
    reasons.add('listing: the same violations in another order');
  }
  for (const { kind } of ours.listed) if (kind in WORDING) reasons.add(`wording: ${WORDING[kind]}`);
  return [...reasons];
}

interface Violation {
  path: string;
  kind: string;
}

/** Where the two sides may say the same thing in other words. */
const WORDING: Record<string, string> = {
  null: '"Value null at" for a member left out, as AWS services say it',
  type: 'a value of the wrong type',
  reserved: 'the reserved prefix aws:',
  pattern: 'the spelling of the pattern for names',
  content: 'content that is received needs video that is received',
};

const KINDS: [string, RegExp][] = [
  ['null', /must not be null$/],
  ['type', /must be (of type \w+|a structure|a list|a string)$/],
  ['short', /length greater than or equal to \d+$/],
  ['long', /length less than or equal to \d+$/],
  ['enum', /must satisfy enum value set: \[SendReceive, Send, Receive, None\]$/],
  ['reserved', /must not begin with /],
  ['pattern', /must satisfy regular expression pattern: /],
  ['meeting', /in a meeting without (video|content)$/],
  ['content', /unless video /],
];

/** A list item that is null is of the wrong type to one side and left out to the other. */
function violationsOf(message: string): { count: number; listed: Violation[] } | undefined {
  const [, count, list] = /^(\d+) validation errors? detected: (.*)$/s.exec(message) ?? [];
  if (count === undefined || list === undefined) return undefined;
  const listed = list
    .replace(/; and \d+ more$/, '')
    .split(/; (?=Value )/)
    .map((violation) => {
      const [, path = '', rule = ''] =
        /^Value(?: null)? at '([^']*)' failed to satisfy constraint: Member (.*)$/s.exec(violation) ?? [];
      const kind = KINDS.find(([, words]) => words.test(rule))?.[0] ?? `unknown: ${violation}`;
      return { path, kind: kind === 'null' && path.endsWith('.member') ? 'type' : kind };
    });
  return { count: Number(count), listed };
}

const named = (...names: unknown[]) => ({ Attendees: names.map((ExternalUserId) => ({ ExternalUserId })) });
const withCapabilities = (Capabilities: unknown) => ({
  Attendees: [{ ExternalUserId: 'alice', Capabilities }],
});
const ordinary = (what: string, body: Case['body']): Case => ({ what, meeting: 'ordinary', body });
const many = (count: number) => Array.from({ length: count }, (_, i) => `guest-${i}`);
const ALL = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' };

/** Bodies that no SDK writes. */
const TEXTS = [
  '',
  ' ',
  '{',
  '{"Attendees":[{]}',
  '[]',
  '"Attendees"',
  '42',
  'null',
  'true',
  '{}',
  '{"Attendees":[],"Attendees":[{"ExternalUserId":"alice"}]}',
  '{"attendees":[{"ExternalUserId":"alice"}]}',
  '{"Attendees":[{"ExternalUserId":"alice","__proto__":{"x":1},"constructor":1}]}',
  '{"__proto__":{"Attendees":[{"ExternalUserId":"alice"}]}}',
  `{"Attendees":${'['.repeat(2_000)}${']'.repeat(2_000)}}`,
  `{"Attendees":[{"ExternalUserId":"alice","x":${'[{"x":'.repeat(500)}1${'}]'.repeat(500)}}]}`,
  '{"Attendees":[{"ExternalUserId":"\\u0061lice"}]}',
  '\ufeff{"Attendees":[{"ExternalUserId":"alice"}]}',
  '{"Attendees":[{"ExternalUserId":"alice"}]} trailing',
  'Attendees=alice',
  '<Attendees/>',
];

/** Each constraint of the model from both sides, and what is hostile rather than wrong. */
export function constraintCases(): Case[] {
  const capabilities = MEDIA_CAPABILITIES.flatMap((Audio) =>
    MEDIA_CAPABILITIES.flatMap((Video) =>
      MEDIA_CAPABILITIES.map((Content) =>
        ordinary(`${Audio}, ${Video}, ${Content}`, withCapabilities({ Audio, Video, Content })),
      ),
    ),
  );
  const forbidden = [
    ...'!$%*;<>?@\\^`~\u0000\u007f\u00a0\u00bf\u0100\u2028\u200d\ufeff日',
    '💣',
    '\ud800',
  ].filter((character) => !EXTERNAL_USER_ID_CHARACTERS.includes(character));
  return [
    ...[1, 2, 99, MAX_ATTENDEES].map((n) => ordinary(`${n} attendees`, named(...many(n)))),
    ...[0, MAX_ATTENDEES + 1, 1_000].map((n) => ordinary(`${n} attendees`, named(...many(n)))),
    ...[null, 'alice', 42, true, {}, { ExternalUserId: 'alice' }].map((Attendees) =>
      ordinary(`Attendees ${JSON.stringify(Attendees)}`, { Attendees }),
    ),
    ...[null, 'alice', 42, [], [[]], {}].map((attendee) =>
      ordinary(`the attendee ${JSON.stringify(attendee)}`, {
        Attendees: [{ ExternalUserId: 'alice' }, attendee],
      }),
    ),
    ...[0, 1, 2, 63, 64, 65, 1_000].map((n) => ordinary(`a name of ${n}`, named('x'.repeat(n)))),
    ...[null, 42, true, [], {}, ['alice']].map((name) =>
      ordinary(`the name ${JSON.stringify(name)}`, named(name)),
    ),
    ...['aws:x', 'AWS:', 'aWs:alice', 'aws', 'xaws:', ' aws:', 'aws-x'].map((name) =>
      ordinary(`the name ${name}`, named(name)),
    ),
    ordinary('every allowed character', {
      Attendees: EXTERNAL_USER_ID_CHARACTERS.reduce<{ ExternalUserId: string }[]>((list, _, i, all) => {
        if (i % 60 === 0) list.push({ ExternalUserId: `x${all.slice(i, i + 60).join('')}` });
        return list;
      }, []),
    }),
    ...forbidden.map((character) =>
      ordinary(`the character ${JSON.stringify(character)}`, named(`a${character}b`)),
    ),
    ...capabilities,
    ...[null, {}, [], 'All', { ...ALL, Audio: null }, { ...ALL, Smell: 'Send' }].map((given) =>
      ordinary(`the capabilities ${JSON.stringify(given)}`, withCapabilities(given)),
    ),
    ...['Audio', 'Video', 'Content'].flatMap((medium) => [
      ordinary(`no ${medium}`, withCapabilities({ ...ALL, [medium]: undefined })),
      ordinary(`another ${medium}`, withCapabilities({ ...ALL, [medium]: 'Listen' })),
      ordinary(`the ${medium} of another case`, withCapabilities({ ...ALL, [medium]: 'sendReceive' })),
      ordinary(`a number for ${medium}`, withCapabilities({ ...ALL, [medium]: 1 })),
    ]),
    ordinary('the same name twice', named('alice', 'alice')),
    ordinary('the same name twice, otherwise', {
      Attendees: [
        { ExternalUserId: 'alice' },
        { ExternalUserId: 'alice', Capabilities: { ...ALL, Content: 'None' } },
      ],
    }),
    ordinary('twelve wrong names', named(...Array.from({ length: 12 }, () => 'x'))),
    ...TEXTS.map((text) => ordinary(`the body ${JSON.stringify(text).slice(0, 60)}`, { text })),
    ...casesOfMeetings(),
  ];
}

function casesOfMeetings(): Case[] {
  return [
    ...(['without video', 'without content', 'for 25', 'for one', 'ended', 'in capitals'] as const).flatMap(
      (meeting) => [
        { what: 'one attendee', meeting, body: named('alice') },
        { what: 'thirty attendees', meeting, body: named(...many(30)) },
        {
          what: 'an attendee without video and content',
          meeting,
          body: withCapabilities({ ...ALL, Video: 'None', Content: 'None' }),
        },
        {
          what: 'content without video',
          meeting,
          body: withCapabilities({ ...ALL, Video: 'None' }),
        },
        { what: 'a wrong name', meeting, body: named('x') },
      ],
    ),
    ...[
      ABSENT_MEETING,
      'x',
      '..',
      'a/b',
      'a%2Fb',
      'é',
      `${ABSENT_MEETING}x`,
      ABSENT_MEETING.replaceAll('-', ''),
      'x'.repeat(1_000),
      "'; DROP TABLE meetings; --",
    ].flatMap((id) => [
      { what: 'one attendee', meeting: { id }, body: named('alice') },
      { what: 'a wrong name', meeting: { id }, body: named('x') },
    ]),
  ];
}

/** Unplanned cases: requests near the border of what is allowed, repeatable by their seed. */
export function fuzzedCases(count: number, seed: number): Case[] {
  const character = fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(...EXTERNAL_USER_ID_CHARACTERS) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
  );
  const name = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.array(character, { minLength: 0, maxLength: 70 }).map((list) => list.join('')),
    },
    { weight: 1, arbitrary: fc.constantFrom(null, 7, false, 'aws:x', 'AwS:', [], {}) },
  );
  const medium = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...MEDIA_CAPABILITIES) },
    { weight: 1, arbitrary: fc.constantFrom(null, 'send', '', 3, {}) },
  );
  const capabilities = fc.oneof(
    { weight: 10, arbitrary: fc.record({ Audio: medium, Video: medium, Content: medium }) },
    { weight: 1, arbitrary: fc.record({ Audio: medium, Video: medium }) },
    { weight: 1, arbitrary: fc.constantFrom(null, {}, 'All', 5) },
  );
  const attendee = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record(
        { ExternalUserId: name, Capabilities: capabilities, Extra: fc.jsonValue({ maxDepth: 2 }) },
        { requiredKeys: ['ExternalUserId'] },
      ),
    },
    { weight: 1, arbitrary: fc.record({ Capabilities: capabilities }) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  );
  const body = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.array(attendee, { maxLength: 6 }).map((Attendees): Case['body'] => ({ Attendees })),
    },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }).map((Attendees): Case['body'] => ({ Attendees })) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 3 }).map((text): Case['body'] => ({ text })) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }).map((text): Case['body'] => ({ text })) },
  );
  const meeting = fc.oneof(
    { weight: 20, arbitrary: fc.constant('ordinary' as const) },
    { weight: 4, arbitrary: fc.constantFrom('without video', 'without content', 'for one') },
    {
      weight: 1,
      arbitrary: fc.string({ minLength: 1, maxLength: 40 }).map((id) => ({ id })),
    },
  ) as fc.Arbitrary<Case['meeting']>;
  return fc
    .sample(fc.record({ meeting, body }), { numRuns: count, seed })
    .map((one, index) => ({ what: `case ${index} of seed ${seed}`, ...one }));
}

/** How many requests, how many differ, and why: a request may have several reasons. */
export function report(cases: number, differences: Difference[]): string {
  const counts = new Map<string, number>();
  for (const { why } of differences) {
    for (const reason of why.length > 0 ? why : ['NOT MEANT'])
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const lines = [...counts].map(([reason, count]) => `${String(count).padStart(7)}  ${reason}`).toSorted();
  return [`${cases} requests, ${differences.length} differ:`, ...lines.toReversed()].join('\n');
}

/** The unintended differences, in short. */
export function unmeant(differences: Difference[]): string[] {
  return differences
    .filter(({ why }) => why.length === 0)
    .map(({ case: { what, meeting, body }, direct, usher }) =>
      JSON.stringify({ what, meeting, body: JSON.stringify(body).slice(0, 500), direct, usher }),
    );
}
