import {
  type Attendee,
  type AttendeeRequest,
  type Capabilities,
  DEFAULT_CAPABILITIES,
  type MediaCapability,
  type Medium,
  receivesMedia,
} from '../model/attendees.ts';
import type { IssuerRules } from '../model/issuer-rules.ts';
import type { Caller, MeetingFacts } from '../model/ports.ts';
import type { Rule } from '../model/rules.ts';
import { isExternalUserId } from './http/validation.ts';

/** What a caller may do with this request, after the rules that need only the token. */
export interface Grant {
  /** The scope that the rules applied. */
  scope: string;
  ceiling: Capabilities;
  /** The caller's tenants, one of which must be the meeting's; undefined if the issuer has no tenant claim. */
  tenants: readonly string[] | undefined;
  /** Media that the meeting lacks, as far as known. */
  missingMedia: readonly Medium[];
  /** The name of the meeting, if it was looked up. */
  externalMeetingId?: string | undefined;
  /** Whether a self caller's own existing attendee is released if it has more than the ceiling. */
  releasesExisting: boolean;
}

/** What a token allows in a meeting, whatever the operation. */
export type MeetingGrant = Pick<Grant, 'scope' | 'tenants'>;

export type Decision<Granted extends MeetingGrant = Grant> =
  | { permitted: true; grant: Granted }
  /** `limits` says what the rule allows at most, if that helps the caller. */
  | { permitted: false; rule: Rule; scope?: string; limits?: string };

/** A parsed request, as the rules see it. */
export interface BatchRequest {
  meetingId: string;
  attendees: readonly AttendeeRequest[];
}

/**
 * The rules for a meeting that need only the verified token: they pass a caller that could be admitted as an attendee.
 * A delegate can name others; a self caller can name itself, so it needs a name that an attendee can have.
 */
export function authorizeMeetingByToken(caller: Caller, meetingId: string): Decision<MeetingGrant> {
  const known = knownIn(caller, meetingId);
  if ('rule' in known) return known;
  const { kind, scope, tenants } = known;
  if (kind === 'self' && !isExternalUserId(ownExternalUserId(caller))) {
    return { permitted: false, rule: 'self-own-name', scope };
  }
  return { permitted: true, grant: { scope, tenants } };
}

/** The rules for attendees that need only the verified token; they come first, so that a refusal costs no I/O. */
export function authorizeByToken(caller: Caller, request: BatchRequest): Decision {
  const { rules } = caller;
  const known = knownIn(caller, request.meetingId);
  if ('rule' in known) return known;
  const { kind, scope, tenants } = known;
  const deny = (rule: Rule) => ({ permitted: false, rule, scope }) as const;

  if (kind === 'self') {
    if (request.attendees.length !== 1) return deny('self-one-attendee');
    if (request.attendees[0]?.ExternalUserId !== ownExternalUserId(caller)) return deny('self-own-name');
  } else if (!request.attendees.every((a) => a.ExternalUserId.startsWith(rules.externalUserIdPrefix))) {
    return deny('name-prefix');
  }

  const ceiling = ceilingOf(rules, scope);
  const above = mediaAbove(
    request.attendees.map(({ Capabilities }) => Capabilities ?? ceiling),
    ceiling,
  );
  if (above.length > 0) return { ...deny('capability-ceiling'), limits: limitsOf(above, ceiling) };
  const releasesExisting = kind === 'self' && rules.existing === 'release';
  return { permitted: true, grant: { scope, ceiling, tenants, missingMedia: [], releasesExisting } };
}

/**
 * The rule that needs the meeting.
 *
 * @param tenants undefined if the issuer has no tenant claim: then the meeting only has to exist
 * @param meeting undefined for a meeting that does not exist
 */
export function authorizeByMeeting(
  tenants: readonly string[] | undefined,
  meeting: Pick<MeetingFacts, 'tenantIds'> | undefined,
): Rule | undefined {
  const isTheirs = tenants === undefined || meeting?.tenantIds.some((tenantId) => tenants.includes(tenantId));
  return meeting !== undefined && isTheirs ? undefined : 'meeting-tenant';
}

/**
 * What Chime is asked for: omitted capabilities become the most that the caller may have, less the media that the
 * meeting lacks. They stay omitted if that is everything, so that Chime's own default applies.
 */
export function requestsToSend(
  { ceiling, missingMedia }: Grant,
  requested: readonly AttendeeRequest[],
): AttendeeRequest[] {
  if (isWithin(DEFAULT_CAPABILITIES, ceiling)) return [...requested];
  const most = withoutMedia(ceiling, missingMedia);
  return requested.map((request) => ({ ...request, Capabilities: request.Capabilities ?? most }));
}

/** Chime refuses content that is received without video. */
function withoutMedia(ceiling: Capabilities, missingMedia: readonly Medium[]): Capabilities {
  const most = { ...ceiling };
  for (const medium of missingMedia) most[medium] = 'None';
  if (receivesMedia(most.Content) && !receivesMedia(most.Video)) {
    most.Content = most.Content === 'SendReceive' ? 'Send' : 'None';
  }
  return most;
}

export interface Judgement {
  released: { attendee: Attendee; above?: 'asked' | 'ceiling' }[];
  withheld: { attendee: Attendee; rule: Rule; limits?: string }[];
}

/**
 * Judges Chime's answer: an existing attendee may come back with more than was asked for, and so may one that was not
 * asked for. The latter never leaves with its token. The former does if it is the caller's own, under its own exact
 * name: someone with more rights gave it that. A delegate, who names others, gets nothing above its ceiling.
 *
 * @param sent what Chime was asked for
 */
export function judgeAnswer(
  grant: Grant,
  sent: readonly AttendeeRequest[],
  answered: readonly Attendee[],
): Judgement {
  const unanswered = sent.map((request) => request);
  const judgement: Judgement = { released: [], withheld: [] };
  for (const attendee of answered) {
    const index = unanswered.findIndex(({ ExternalUserId }) => ExternalUserId === attendee.ExternalUserId);
    const [request] = index === -1 ? [] : unanswered.splice(index, 1);
    if (request === undefined) {
      judgement.withheld.push({ attendee, rule: 'answer-requested-name' });
      continue;
    }
    const above = mediaAbove([attendee.Capabilities], grant.ceiling);
    // The meaning of an undocumented capability is not guessed.
    const isKnown = mediaAbove([attendee.Capabilities], DEFAULT_CAPABILITIES).length === 0;
    if (above.length > 0 && !(grant.releasesExisting && isKnown)) {
      const limits = limitsOf(above, grant.ceiling);
      judgement.withheld.push({ attendee, rule: 'capability-ceiling', limits });
    } else if (above.length > 0) {
      judgement.released.push({ attendee, above: 'ceiling' });
    } else if (isWithin(attendee.Capabilities, request.Capabilities ?? DEFAULT_CAPABILITIES)) {
      judgement.released.push({ attendee });
    } else {
      judgement.released.push({ attendee, above: 'asked' });
    }
  }
  return judgement;
}

/** What every operation on a meeting requires of a token: a scope, a tenant, and a claim for this meeting. */
function knownIn(
  caller: Caller,
  meetingId: string,
): { permitted: false; rule: Rule; scope?: string } | (Role & Pick<Grant, 'tenants'>) {
  const { tenantClaim } = caller.rules;
  const role = roleOf(caller);
  if (role === undefined) return { permitted: false, rule: 'scope' };
  const deny = (rule: Rule) => ({ permitted: false, rule, scope: role.scope }) as const;
  const tenants = tenantClaim === undefined ? undefined : tenantsOf(caller, tenantClaim);
  if (tenants === 'invalid') return deny('tenant-claim');
  if (!meetingsClaimAllows(caller, meetingId)) return deny('meetings-claim');
  return { ...role, tenants };
}

interface Role {
  /** The documentation calls a self caller a guest. */
  kind: 'delegate' | 'self';
  scope: string;
}

/** A token with scopes of both kinds is a delegate's. */
function roleOf(caller: Caller): Role | undefined {
  for (const kind of ['delegate', 'self'] as const) {
    const scope = [caller.rules.scopes[kind] ?? []].flat().find((name) => caller.scopes.has(name));
    if (scope !== undefined) return { kind, scope };
  }
  return undefined;
}

function tenantsOf(caller: Caller, claim: string): string[] | 'invalid' {
  const tenants = stringsIn(caller.claims[claim]);
  const allowed = caller.rules.tenants;
  if (tenants === undefined) return 'invalid';
  return allowed === undefined || tenants.every((tenant) => allowed.includes(tenant)) ? tenants : 'invalid';
}

function meetingsClaimAllows(caller: Caller, meetingId: string): boolean {
  const { meetingsClaim, meetingsClaimRequired } = caller.rules;
  if (meetingsClaim === undefined) return true;
  const value = caller.claims[meetingsClaim];
  if (value === undefined) return !meetingsClaimRequired;
  return stringsIn(value)?.some((id) => id.toLowerCase() === meetingId.toLowerCase()) ?? false;
}

function ownExternalUserId({ rules, claims }: Caller): string | undefined {
  // Some providers write every claim as a list; with several names, it is not clear which one is meant.
  const [own, ...others] = [claims[rules.externalUserIdClaim]].flat();
  if (others.length > 0) return undefined;
  return typeof own === 'string' && own !== '' ? rules.externalUserIdPrefix + own : undefined;
}

/** A claim that is a non-empty string or a list of them; anything else is malformed. */
function stringsIn(value: unknown): string[] | undefined {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.length > 0 && values.every((v): v is string => typeof v === 'string' && v !== '')
    ? values
    : undefined;
}

function ceilingOf(rules: IssuerRules, scope: string): Capabilities {
  if (Object.hasOwn(rules.ceilings, scope)) return rules.ceilings[scope] as Capabilities;
  // Copying an object would lose a ceiling of this name.
  return scope === '__proto__' ? NOTHING : DEFAULT_CAPABILITIES;
}

const NOTHING: Capabilities = { Audio: 'None', Video: 'None', Content: 'None' };

const MEDIA = ['Audio', 'Video', 'Content'] as const;

function isWithin(asked: Capabilities, ceiling: Capabilities): boolean {
  return mediaAbove([asked], ceiling).length === 0;
}

/** The media in which any of these exceeds the ceiling. */
function mediaAbove(asked: readonly Capabilities[], ceiling: Capabilities): Medium[] {
  return MEDIA.filter((medium) => asked.some((one) => !mediaIsWithin(one[medium], ceiling[medium])));
}

/** Such as `Video is at most Receive, Content is at most None`. */
function limitsOf(media: readonly Medium[], ceiling: Capabilities): string {
  return media.map((medium) => `${medium} is at most ${ceiling[medium]}`).join(', ');
}

function mediaIsWithin(asked: MediaCapability, ceiling: MediaCapability): boolean {
  if (asked === 'None' || asked === ceiling) return true;
  return ceiling === 'SendReceive' && (asked === 'Send' || asked === 'Receive');
}

/** Such as `Denied by the rule capability-ceiling: Video is at most Receive.` */
export function denialText(rule: Rule, limits?: string): string {
  return `Denied by the rule ${rule}${limits === undefined ? '' : `: ${limits}`}.`;
}
