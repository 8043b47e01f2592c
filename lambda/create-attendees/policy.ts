import {
  type Attendee,
  type AttendeeRequest,
  type Capabilities,
  DEFAULT_CAPABILITIES,
  type MediaCapability,
} from '../model/attendees.ts';
import type { IssuerRules } from '../model/issuer-rules.ts';
import type { Caller, MeetingFacts } from '../model/ports.ts';
import type { Rule } from '../model/rules.ts';

/** What a caller may do with this request, once the rules that need only the token are met. */
export interface Grant {
  /** The scope that the rules went by. */
  scope: string;
  ceiling: Capabilities;
  /** The caller's tenants, one of which must be the meeting's; undefined where the issuer has no tenant claim. */
  tenants: readonly string[] | undefined;
}

export type Decision = { permitted: true; grant: Grant } | { permitted: false; rule: Rule; scope?: string };

/** A parsed request, as the rules see it. `meetingId` is in lower case. */
export interface BatchRequest {
  meetingId: string;
  attendees: readonly AttendeeRequest[];
}

/** The rules that need nothing but the verified token; they come first, so that no I/O is spent on a refusal. */
export function authorizeByToken(caller: Caller, request: BatchRequest): Decision {
  const { rules } = caller;
  const role = roleOf(caller);
  if (role === undefined) return { permitted: false, rule: 'scope' };
  const { scope } = role;
  const deny = (rule: Rule): Decision => ({ permitted: false, rule, scope });

  const tenants = rules.tenantClaim === undefined ? undefined : tenantsOf(caller, rules.tenantClaim);
  if (tenants === 'invalid') return deny('tenant-claim');
  if (!meetingsClaimAllows(caller, request.meetingId)) return deny('meetings-claim');

  if (role.kind === 'self') {
    if (request.attendees.length !== 1) return deny('self-one-attendee');
    if (request.attendees[0]?.ExternalUserId !== ownExternalUserId(caller)) return deny('self-own-name');
  } else if (!request.attendees.every((a) => a.ExternalUserId.startsWith(rules.externalUserIdPrefix))) {
    return deny('name-prefix');
  }

  const ceiling = ceilingOf(rules, scope);
  if (!request.attendees.every((a) => isWithin(a.Capabilities ?? DEFAULT_CAPABILITIES, ceiling))) {
    return deny('capability-ceiling');
  }
  return { permitted: true, grant: { scope, ceiling, tenants } };
}

/**
 * The rule that needs the meeting. Only for a grant with tenants.
 *
 * @param meeting undefined for a meeting that does not exist
 */
export function authorizeByMeeting(
  tenants: readonly string[],
  meeting: MeetingFacts | undefined,
): Rule | undefined {
  return meeting?.tenantIds.some((tenantId) => tenants.includes(tenantId)) ? undefined : 'meeting-tenant';
}

/**
 * Judges what Chime answered: an attendee that already existed may come back with more than was asked for, and so may
 * one that nobody asked for. Neither leaves with its token.
 */
export function judgeAnswer(
  grant: Grant,
  requested: readonly AttendeeRequest[],
  answered: readonly Attendee[],
): { released: Attendee[]; withheld: { attendee: Attendee; rule: Rule }[] } {
  const unanswered = new Map<string, number>();
  for (const { ExternalUserId: name } of requested) unanswered.set(name, (unanswered.get(name) ?? 0) + 1);

  const released: Attendee[] = [];
  const withheld: { attendee: Attendee; rule: Rule }[] = [];
  for (const attendee of answered) {
    const left = unanswered.get(attendee.ExternalUserId) ?? 0;
    if (left === 0) {
      withheld.push({ attendee, rule: 'answer-requested-name' });
      continue;
    }
    unanswered.set(attendee.ExternalUserId, left - 1);
    if (isWithin(attendee.Capabilities, grant.ceiling)) released.push(attendee);
    else withheld.push({ attendee, rule: 'capability-ceiling' });
  }
  return { released, withheld };
}

/** A token with scopes of both kinds is a delegate's. */
function roleOf(caller: Caller): { kind: 'delegate' | 'self'; scope: string } | undefined {
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
  return stringsIn(value)?.some((id) => id.toLowerCase() === meetingId) ?? false;
}

function ownExternalUserId({ rules, claims }: Caller): string | undefined {
  const own = claims[rules.externalUserIdClaim];
  return typeof own === 'string' && own !== '' ? rules.externalUserIdPrefix + own : undefined;
}

/** A claim that is one non-empty string or a list of them; anything else is malformed. */
function stringsIn(value: unknown): string[] | undefined {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.length > 0 && values.every((v): v is string => typeof v === 'string' && v !== '')
    ? values
    : undefined;
}

function ceilingOf(rules: IssuerRules, scope: string): Capabilities {
  return Object.hasOwn(rules.ceilings, scope)
    ? (rules.ceilings[scope] as Capabilities)
    : DEFAULT_CAPABILITIES;
}

function isWithin(asked: Capabilities, ceiling: Capabilities): boolean {
  return (['Audio', 'Video', 'Content'] as const).every((medium) =>
    mediaIsWithin(asked[medium], ceiling[medium]),
  );
}

function mediaIsWithin(asked: MediaCapability, ceiling: MediaCapability): boolean {
  if (asked === 'None' || asked === ceiling) return true;
  return ceiling === 'SendReceive' && (asked === 'Send' || asked === 'Receive');
}
