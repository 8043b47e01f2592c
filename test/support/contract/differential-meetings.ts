import {
  type ChimeSDKMeetingsClient,
  type CreateMeetingCommandInput,
  DeleteMeetingCommand,
  GetMeetingCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import fc from 'fast-check';
import type { LocalEnvironment } from '../../../local/environment.ts';
import { ABSENT_MEETING, clientOfChime, clientOfUsher, createMeeting, mintToken } from './clients.ts';

/** One GetMeeting, to be sent to Chime directly and through Usher: of a meeting that is made for it, or by this id. */
export interface MeetingCase {
  what: string;
  made?: Partial<CreateMeetingCommandInput>;
  /** Changes the id of what was made. */
  spelt?: (id: string) => string;
  ended?: boolean;
  id?: string;
}

export interface MeetingDifference {
  what: string;
  direct: object;
  usher: object;
  /** Why it is meant to be so; undefined if it is not. */
  why: string | undefined;
}

const LEFT_OUT = ['MeetingArn', 'MeetingHostId', 'PrimaryMeetingId', 'TenantIds'];

/** Meetings of every kind, and ids that are none: as many fuzzed ones as asked for, the same ones for the same seed. */
export function meetingCases(fuzzed: number, seed: number): MeetingCase[] {
  const features = fc.record(
    {
      Audio: fc.record({ EchoReduction: fc.constantFrom('AVAILABLE', 'UNAVAILABLE') }),
      Video: fc.record({ MaxResolution: fc.constantFrom('None', 'HD', 'FHD') }),
      Content: fc.record({ MaxResolution: fc.constantFrom('None', 'FHD', 'UHD') }),
      Attendee: fc.record({ MaxCount: fc.integer({ min: 1, max: 25 }) }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<NonNullable<CreateMeetingCommandInput['MeetingFeatures']>>;
  const made = fc.record(
    {
      ExternalMeetingId: fc.stringMatching(/^[-_&@+=,(){}«».:|'"#a-zA-Z0-9À-ÿ]{2,64}$/),
      MediaRegion: fc.constantFrom('us-east-1', 'eu-central-1', 'ap-northeast-1'),
      MeetingHostId: fc.stringMatching(/^[a-z]{2,64}$/),
      MeetingFeatures: features,
      TenantIds: fc.constantFrom<string[]>(['acme'], ['globex', 'acme']),
    },
    { requiredKeys: [] },
  );
  const id = fc
    .oneof(
      fc.string({ minLength: 1, maxLength: 40 }),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
      fc.stringMatching(/^[a-fA-F0-9]{8}(-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{11,13}$/),
    )
    // `fetch` and Node's client take these for steps in the path.
    .filter((text) => !['.', '..'].includes(text));
  const cases = fc.oneof(
    made.map((input): MeetingCase => ({ what: JSON.stringify(input), made: input })),
    id.map((text): MeetingCase => ({ what: JSON.stringify(text), id: text })),
  );
  return [
    { what: 'an ordinary meeting', made: {} },
    { what: 'in capitals', made: {}, spelt: (text) => text.toUpperCase() },
    { what: 'one that has ended', made: {}, ended: true },
    { what: 'one that never was', id: ABSENT_MEETING },
    { what: 'an id with a slash', id: `${ABSENT_MEETING}/attendees` },
    { what: 'an id with a line break', id: `${ABSENT_MEETING}\n` },
    { what: 'an id that is encoded', id: '%33' },
    { what: 'one of another meeting', made: { PrimaryMeetingId: ABSENT_MEETING } },
    ...fc.sample(cases, { numRuns: fuzzed, seed }),
  ];
}

/** The cases that are answered in two ways, one after the other. */
export async function compareMeetings(
  environment: LocalEnvironment,
  cases: MeetingCase[],
): Promise<MeetingDifference[]> {
  const direct = clientOfChime(environment.chimeUrl, { maxAttempts: 1 });
  const differences: MeetingDifference[] = [];
  for (const [index, { what, made, spelt = (given: string) => given, ended, id }] of cases.entries()) {
    const meetingId = id ?? spelt(await createMeeting(environment, made ?? {}));
    if (ended) await direct.send(new DeleteMeetingCommand({ MeetingId: meetingId }));
    // Each has a caller of its own, so that none uses up its budget for meetings that are not to be found.
    const token = await mintToken(environment, { sub: `looker-${index}` });
    const usher = clientOfUsher(environment.apiUrl, token, { maxAttempts: 1 });
    const seen = { direct: await look(direct, meetingId), usher: await look(usher, meetingId) };
    if (JSON.stringify(seen.direct) !== JSON.stringify(seen.usher)) {
      differences.push({ what, ...seen, why: reasonFor(seen.direct, seen.usher) });
    }
  }
  return differences;
}

interface Seen {
  status: number | undefined;
  class: string;
  code: unknown;
  fault: unknown;
  /** Whether `RequestId` in the body is the one in the header. */
  requestIdHolds: boolean;
  message: string;
  meeting: Record<string, unknown> | undefined;
}

async function look(client: ChimeSDKMeetingsClient, MeetingId: string): Promise<Seen> {
  try {
    const { Meeting, $metadata } = await client.send(new GetMeetingCommand({ MeetingId }));
    return {
      status: $metadata.httpStatusCode,
      class: 'success',
      code: undefined,
      fault: undefined,
      requestIdHolds: $metadata.requestId !== undefined,
      message: '',
      meeting: sorted({ ...Meeting }),
    };
  } catch (error) {
    const { name, message, $metadata, $fault, Code, RequestId } = error as Record<string, never> & Error;
    const metadata = $metadata as { httpStatusCode?: number; requestId?: string } | undefined;
    return {
      status: metadata?.httpStatusCode,
      class: name,
      code: Code,
      fault: $fault,
      requestIdHolds: RequestId === metadata?.requestId,
      message,
      meeting: undefined,
    };
  }
}

const sorted = (meeting: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(meeting).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** Nothing but members that are left out. */
function reasonFor(direct: Seen, usher: Seen): string | undefined {
  const kept = Object.entries(direct.meeting ?? {}).filter(([member]) => !LEFT_OUT.includes(member));
  const meeting = direct.meeting && Object.fromEntries(kept);
  if (JSON.stringify({ ...direct, meeting }) === JSON.stringify(usher)) {
    return 'members: MeetingArn, MeetingHostId, PrimaryMeetingId and TenantIds are left out';
  }
  return undefined;
}

/** How many requests, how many differ, and why. */
export function reportMeetings(cases: number, differences: MeetingDifference[]): string {
  const reasons = Map.groupBy(differences, ({ why }) => why ?? 'NOT MEANT');
  const lines = [...reasons].map(([reason, { length }]) => `${String(length).padStart(7)}  ${reason}`);
  return [`${cases} GetMeeting, ${differences.length} differ:`, ...lines.toSorted()].join('\n');
}
