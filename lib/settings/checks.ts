import { Token } from 'aws-cdk-lib';
import type { CompleteConfig, CompleteSettings } from './props.ts';
import { isControlRegion, notAControlRegion } from './regions.ts';

/** How long a meeting without connected attendees lasts, in seconds (the Chime SDK's CreateMeeting, auto-termination). */
const EMPTY_MEETING_SECONDS = 300;

/** No request takes longer, whatever the function's time-out (lambda/create-attendees/create-attendees.ts). */
const MAX_REQUEST_SECONDS = 15;

/** The reconciler runs every minute, and needs two looks. */
const RECONCILER_WAITS_SECONDS = 2 * 60;

/** The problems of settings that are valid on their own, as `path.of.the.key: sentence`. */
export function problemsWithSettings(settings: CompleteSettings): string[] {
  return [
    ...problemsWithRegion(settings),
    ...problemsWithReconciler(settings),
    ...problemsWithLimits(settings),
    ...problemsWithSeals(settings),
    ...problemsWithIgnoredKeys(settings),
  ];
}

function* problemsWithRegion({ meetingsRegion }: CompleteSettings): Generator<string> {
  const isKnown = meetingsRegion !== undefined && !Token.isUnresolved(meetingsRegion);
  if (isKnown && !isControlRegion(meetingsRegion)) {
    yield `meetingsRegion: ${notAControlRegion(meetingsRegion)}`;
  }
}

function* problemsWithReconciler({ limits, reconciler }: CompleteSettings): Generator<string> {
  const waitSeconds = reconciler.marginSeconds + reconciler.secondLookSeconds;
  const requestSeconds = Math.min(limits.timeoutSeconds, MAX_REQUEST_SECONDS);
  const maxSeconds = EMPTY_MEETING_SECONDS - RECONCILER_WAITS_SECONDS - requestSeconds;
  if (waitSeconds > maxSeconds) {
    yield `reconciler: marginSeconds and secondLookSeconds add up to ${waitSeconds}, so a meeting that no one joined could end before the second look, and the outcome of its batch would stay unknown; reduce them to ${maxSeconds} together at most`;
  }
}

function* problemsWithLimits({ limits }: CompleteSettings): Generator<string> {
  if (limits.burst < limits.requestsPerSecond) {
    yield 'limits.burst: is below requestsPerSecond, so callers would be throttled below the configured rate; raise it to requestsPerSecond or more';
  }
  const { preflightBurst, preflightsPerSecond } = limits;
  const isPreflightGiven = preflightBurst !== undefined || preflightsPerSecond !== undefined;
  const burst = preflightBurst ?? limits.burst;
  if (isPreflightGiven && burst < (preflightsPerSecond ?? limits.requestsPerSecond)) {
    yield 'limits.preflightBurst: is below preflightsPerSecond, so browsers would be throttled below the configured rate; raise it to preflightsPerSecond or more';
  }
  const { reservedConcurrency, provisionedConcurrency } = limits;
  if ((provisionedConcurrency ?? 0) > (reservedConcurrency ?? Number.POSITIVE_INFINITY)) {
    yield 'limits.provisionedConcurrency: is above reservedConcurrency, which Lambda refuses, so the deployment would fail halfway; reduce it to reservedConcurrency or less';
  }
}

function* problemsWithSeals({ audit, seals }: CompleteSettings): Generator<string> {
  const { retentionDays } = audit;
  const { lockDays } = seals;
  if (retentionDays !== undefined && lockDays !== undefined && lockDays < retentionDays) {
    yield `seals.lockDays: is ${lockDays}, but audit records are kept for ${retentionDays} days, so seals would expire before what they prove; make it ${retentionDays} at least`;
  }
}

function* problemsWithIgnoredKeys({ cognito, issuers, logs }: CompleteSettings): Generator<string> {
  if (Object.keys(cognito).length > 0 && issuers.length > 0) {
    yield 'cognito: is given together with issuers, and Usher creates no user pool where issuers are given, so it would be ignored; remove one of them';
  }
  if (logs.accountRole && !logs.access) {
    yield 'logs.accountRole: is set without logs.access, so an account-wide setting would change without need; remove it, or set logs.access';
  }
}

/** The resources of a configuration that its stack's Region cannot use, if the Region is known. */
export function problemsWithConfig(config: CompleteConfig): string[] {
  const { region, meetingsRegion, encryptionKeyArn, domain, alarms } = config;
  if (region === undefined) return [];
  const problems: string[] = [];
  if (meetingsRegion === undefined && !isControlRegion(region)) {
    problems.push(`region: ${notAControlRegion(region)}`);
  }
  const arns = {
    encryptionKeyArn,
    'domain.certificateArn': domain?.certificateArn,
    'alarms.topicArn': alarms.topicArn,
  };
  for (const [key, arn] of Object.entries(arns)) {
    const elsewhere = arn?.split(':')[3];
    if (elsewhere !== undefined && elsewhere !== region) {
      problems.push(
        `${key}: is in ${elsewhere}, but the stack deploys to ${region} and cannot use it, so the deployment would fail halfway; use one in ${region}`,
      );
    }
  }
  return problems;
}
