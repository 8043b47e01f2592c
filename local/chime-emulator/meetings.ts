import { randomUUID } from 'node:crypto';
import { ChimeError, notFound } from './wire-errors.ts';

export const MEDIA_CAPABILITIES = ['SendReceive', 'Send', 'Receive', 'None'] as const;
export type MediaCapability = (typeof MEDIA_CAPABILITIES)[number];

export interface Capabilities {
  Audio: MediaCapability;
  Video: MediaCapability;
  Content: MediaCapability;
}

export interface AttendeeRequest {
  ExternalUserId: string;
  Capabilities?: Capabilities;
}

export interface Attendee {
  ExternalUserId: string;
  AttendeeId: string;
  JoinToken: string;
  Capabilities: Capabilities;
}

export interface MeetingFeatures {
  Audio?: { EchoReduction?: 'AVAILABLE' | 'UNAVAILABLE' };
  Video?: { MaxResolution?: 'None' | 'HD' | 'FHD' };
  Content?: { MaxResolution?: 'None' | 'FHD' | 'UHD' };
  Attendee?: { MaxCount?: number };
}

/** CreateMeeting's members that the meeting keeps, and the token that makes creating it idempotent. */
export interface MeetingRequest {
  ClientRequestToken: string;
  ExternalMeetingId: string;
  MediaRegion: string;
  MeetingHostId?: string;
  MeetingFeatures?: MeetingFeatures;
  PrimaryMeetingId?: string;
  TenantIds?: string[];
}

/**
 * How a batch treats a name that the meeting already has, which Chime does not document: `keep` answers the attendee as
 * it is; `overwrite` gives it the requested capabilities; `ignore` answers as if it had, and changes nothing; `reject`
 * answers an error for it; `duplicate` creates another attendee.
 */
export const EXISTING_MODES = ['keep', 'overwrite', 'ignore', 'reject', 'duplicate'] as const;
export type ExistingMode = (typeof EXISTING_MODES)[number];

/** A meeting as GetMeeting answers it. */
export interface Meeting extends Omit<MeetingRequest, 'ClientRequestToken'> {
  MeetingId: string;
  MeetingArn: string;
  MediaPlacement: Record<string, string>;
}

/** An attendee as the control endpoint reports it: what exists, or existed, whatever was answered about it. */
export interface KnownAttendee extends Attendee {
  MeetingId: string;
  /** The request id of the call that created it. */
  createdBy: string;
  createdAt: string;
  /** Set once it was deleted or its meeting ended. */
  goneAt?: string;
}

interface AttendeeRecord {
  attendee: Attendee;
  createdBy: string;
  createdAtMs: number;
  goneAtMs?: number;
}

interface MeetingRecord {
  meeting: Meeting;
  createdAtMs: number;
  endedAtMs?: number;
  /** In order of creation, with the deleted ones, so that a position stays valid as a page mark. */
  attendees: AttendeeRecord[];
}

const MAX_MEETING_MS = 24 * 60 * 60 * 1000;
const SEND_RECEIVE: Capabilities = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' };

/**
 * The existing meetings and attendees, in memory. Nothing is forgotten: ended meetings and deleted attendees stay
 * readable by `known`.
 *
 * A meeting ends when it is deleted or after 24 hours. The real service also ends one in which no one has been
 * connected for five minutes; no one can connect to an emulator, so that would end every meeting and is left out.
 */
export class Meetings {
  readonly #now: () => number;
  readonly #records = new Map<string, MeetingRecord>();
  readonly #onAdded: (meeting: Meeting, attendee: Attendee) => void;
  readonly #createdByToken = new Map<string, { asked: string; meetingId: string }>();

  /**
   * @param now milliseconds since the epoch
   * @param onAdded called with each attendee that is created
   */
  constructor(now: () => number, onAdded: (meeting: Meeting, attendee: Attendee) => void = () => {}) {
    this.#now = now;
    this.#onAdded = onAdded;
  }

  /** Creates a meeting; the same ClientRequestToken with the same content gives the same meeting. `region` is the control Region. */
  create(request: MeetingRequest, region: string): Meeting {
    const { ClientRequestToken, ...kept } = request;
    const asked = JSON.stringify(kept);
    const earlier = this.#createdByToken.get(ClientRequestToken);
    const earlierRecord = earlier && this.#recordOf(earlier.meetingId);
    // A choice, because the documentation does not say it: a token is free again once its meeting has ended.
    if (earlier && earlierRecord && earlierRecord.endedAtMs === undefined) {
      if (earlier.asked !== asked) {
        throw new ChimeError('ConflictException', 'ClientRequestToken was used for another meeting');
      }
      return earlierRecord.meeting;
    }
    const MeetingId = randomUUID();
    const meeting = {
      MeetingId,
      MeetingArn: meetingArn(region, MeetingId),
      MediaPlacement: mediaPlacement(MeetingId),
      ...kept,
    };
    this.#records.set(MeetingId, { meeting, createdAtMs: this.#now(), attendees: [] });
    this.#createdByToken.set(ClientRequestToken, { asked, meetingId: MeetingId });
    return meeting;
  }

  /** @throws NotFoundException, as every operation on a meeting that ended or never was. */
  get(meetingId: string): Meeting {
    return this.#liveRecord(meetingId).meeting;
  }

  /** Ends the meeting and with it every attendee. */
  end(meetingId: string): void {
    end(this.#liveRecord(meetingId), this.#now());
  }

  /**
   * Gives one attendee for each request, in their order. A name that the meeting already has answers the existing
   * attendee, with the capabilities that `existing` determines; with `duplicate`, each request creates a new one.
   *
   * Three choices, because the documentation does not say: a batch that does not fit is refused as a whole and creates
   * nothing; a name twice in one batch is the same attendee twice, with the first one's capabilities; existing names do
   * not count against the limit.
   *
   * @throws LimitExceededException if the meeting would have more attendees than it may.
   */
  admit(
    meetingId: string,
    requests: AttendeeRequest[],
    how: { existing: ExistingMode; requestId: string },
  ): Attendee[] {
    const record = this.#liveRecord(meetingId);
    const living = record.attendees.filter(exists);
    const byName = new Map<string, AttendeeRecord>();
    const duplicates = how.existing === 'duplicate';
    if (!duplicates) {
      // The oldest wins if duplicates have left several with one name.
      for (const one of living.toReversed()) byName.set(one.attendee.ExternalUserId, one);
    }
    const before = new Set(byName.values());
    const newcomers = duplicates
      ? requests.length
      : new Set(requests.map((request) => request.ExternalUserId).filter((name) => !byName.has(name))).size;
    const limit = attendeeLimit(record.meeting.MeetingFeatures);
    if (living.length + newcomers > limit) {
      throw new ChimeError('LimitExceededException', `The meeting may have at most ${limit} attendees`);
    }
    return requests.map((request) => {
      const found = byName.get(request.ExternalUserId);
      if (found)
        return before.has(found) ? answerAgain(found, request, how.existing) : snapshot(found.attendee);
      const added = this.#addAttendee(record, request, how.requestId);
      if (!duplicates) byName.set(request.ExternalUserId, added);
      return snapshot(added.attendee);
    });
  }

  /** The names of the existing attendees. */
  namesOf(meetingId: string): Set<string> {
    const living = this.#liveRecord(meetingId).attendees.filter(exists);
    return new Set(living.map(({ attendee }) => attendee.ExternalUserId));
  }

  /** Adds an attendee past every rule, for the fault that answers an attendee who was not requested. */
  smuggle(meetingId: string, request: AttendeeRequest, requestId: string): Attendee {
    return snapshot(this.#addAttendee(this.#liveRecord(meetingId), request, requestId).attendee);
  }

  /** Changes an attendee's capabilities, for the fault that answers other capabilities than requested. */
  setCapabilities(meetingId: string, attendeeId: string, capabilities: Capabilities): Attendee {
    const record = this.#liveAttendee(meetingId, attendeeId);
    record.attendee.Capabilities = { ...capabilities };
    return snapshot(record.attendee);
  }

  getAttendee(meetingId: string, attendeeId: string): Attendee {
    return snapshot(this.#liveAttendee(meetingId, attendeeId).attendee);
  }

  deleteAttendee(meetingId: string, attendeeId: string): void {
    this.#liveAttendee(meetingId, attendeeId).goneAtMs = this.#now();
  }

  /** Up to `count` attendees from `position` on, and the position of the next page, if any. */
  listAttendees(meetingId: string, position: number, count: number): { page: Attendee[]; next?: number } {
    const { attendees } = this.#liveRecord(meetingId);
    const page: Attendee[] = [];
    for (const [index, record] of attendees.entries()) {
      if (index < position || !exists(record)) continue;
      if (page.length === count) return { page, next: index };
      page.push(snapshot(record.attendee));
    }
    return { page };
  }

  /** The truth: the existing attendees, in order of creation, of one meeting or of all; with `gone` the former ones too. */
  known(filter: { meetingId?: string | undefined; gone: boolean }): KnownAttendee[] {
    const ids = filter.meetingId === undefined ? [...this.#records.keys()] : [filter.meetingId];
    return ids.flatMap((MeetingId) =>
      (this.#recordOf(MeetingId)?.attendees ?? [])
        .filter((record) => filter.gone || exists(record))
        .map((record) => ({
          MeetingId,
          ...snapshot(record.attendee),
          createdBy: record.createdBy,
          createdAt: new Date(record.createdAtMs).toISOString(),
          ...(record.goneAtMs !== undefined && { goneAt: new Date(record.goneAtMs).toISOString() }),
        })),
    );
  }

  #recordOf(meetingId: string): MeetingRecord | undefined {
    const record = this.#records.get(meetingId);
    if (record && this.#now() - record.createdAtMs >= MAX_MEETING_MS) {
      end(record, record.createdAtMs + MAX_MEETING_MS);
    }
    return record;
  }

  #liveRecord(meetingId: string): MeetingRecord {
    const record = this.#recordOf(meetingId);
    if (!record || record.endedAtMs !== undefined) throw notFound(`Meeting ${meetingId} not found`);
    return record;
  }

  #liveAttendee(meetingId: string, attendeeId: string): AttendeeRecord {
    const found = this.#liveRecord(meetingId).attendees.find(
      (record) => record.attendee.AttendeeId === attendeeId && exists(record),
    );
    // The wording for an attendee is not known; it follows the one for a meeting.
    if (!found) throw notFound(`Attendee ${attendeeId} not found`);
    return found;
  }

  #addAttendee(record: MeetingRecord, request: AttendeeRequest, requestId: string): AttendeeRecord {
    const added = {
      attendee: {
        ExternalUserId: request.ExternalUserId,
        AttendeeId: randomUUID(),
        JoinToken: mintJoinToken(),
        Capabilities: { ...(request.Capabilities ?? SEND_RECEIVE) },
      },
      createdBy: requestId,
      createdAtMs: this.#now(),
    };
    record.attendees.push(added);
    this.#onAdded(record.meeting, added.attendee);
    return added;
  }
}

/** The answer about an attendee that existed before the request. */
function answerAgain(record: AttendeeRecord, request: AttendeeRequest, mode: ExistingMode): Attendee {
  const asked = { ...(request.Capabilities ?? SEND_RECEIVE) };
  if (mode === 'overwrite') record.attendee.Capabilities = asked;
  return mode === 'ignore' ? { ...record.attendee, Capabilities: asked } : snapshot(record.attendee);
}

function exists(record: AttendeeRecord): boolean {
  return record.goneAtMs === undefined;
}

function end(record: MeetingRecord, atMs: number): void {
  record.endedAtMs ??= atMs;
  for (const attendee of record.attendees) attendee.goneAtMs ??= record.endedAtMs;
}

/** A fault may delay an answer; its content must not change meanwhile. */
function snapshot(attendee: Attendee): Attendee {
  return { ...attendee, Capabilities: { ...attendee.Capabilities } };
}

/**
 * The documentation is contradictory about whether FHD or UHD needs its own MaxCount or implies the limit of 25. Here
 * it may be left out, and no MaxCount lifts the 25.
 */
function attendeeLimit(features: MeetingFeatures | undefined): number {
  const large = features?.Video?.MaxResolution === 'FHD' || features?.Content?.MaxResolution === 'UHD';
  const ceiling = large ? 25 : 250;
  return Math.min(features?.Attendee?.MaxCount ?? ceiling, ceiling);
}

/**
 * 98 characters of unpadded base64 like the tokens in public samples: 73 bytes, and since all are hexadecimal digits,
 * dashes or a colon, no `+` and no `/` can come out.
 */
function mintJoinToken(): string {
  return Buffer.from(`${randomUUID()}:${randomUUID()}`).toString('base64url');
}

function meetingArn(region: string, meetingId: string): string {
  const partition = region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:chime:${region}:111122223333:meeting/${meetingId}`;
}

/** Everything that amazon-chime-sdk-js reads, on hosts that no resolver may ever answer for (RFC 2606 section 2). */
function mediaPlacement(meetingId: string): Record<string, string> {
  return {
    AudioHostUrl: 'audio.chime.invalid:3478',
    AudioFallbackUrl: `wss://fallback.chime.invalid:443/calls/${meetingId}`,
    SignalingUrl: `wss://signal.chime.invalid/control/${meetingId}`,
    TurnControlUrl: 'https://turn.chime.invalid/v2/turn_sessions',
    ScreenDataUrl: `wss://screen.chime.invalid:443/v2/screen/${meetingId}`,
    ScreenViewingUrl: `wss://screen.chime.invalid:443/ws/connect?X-BitHub-Call-Id=${meetingId}`,
    ScreenSharingUrl: `wss://screen.chime.invalid:443/v2/screen/${meetingId}`,
    EventIngestionUrl: 'https://events.chime.invalid/v1/client-events',
  };
}
