import { Token } from 'aws-cdk-lib';
import type { CompleteConfig, CompleteSettings } from './props.ts';
import { isControlRegion, notAControlRegion } from './regions.ts';

/** How long a meeting lasts in which nobody is connected, in seconds (the Chime SDK's CreateMeeting, auto-termination). */
const EMPTY_MEETING_SECONDS = 300;

/** No request takes longer, whatever the function is given (lambda/create-attendees/create-attendees.ts). */
const MAX_REQUEST_SECONDS = 15;

/** The reconciler runs every minute, and has two looks to take. */
const RECONCILER_WAITS_SECONDS = 2 * 60;

/** What is wrong with settings that are right one by one, as `path.of.the.key: sentence`. */
export function problemsWithSettings(settings: CompleteSettings): string[] {
  return [
    ...problemsWithRegion(settings),
    ...problemsWithReconciler(settings),
    ...problemsWithLimits(settings),
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
    yield `reconciler: has ${waitSeconds} as marginSeconds and secondLookSeconds together, so a meeting that nobody joined could be over before the second look, and what became of its batch never be known; make them ${maxSeconds} at most`;
  }
}

function* problemsWithLimits({ limits }: CompleteSettings): Generator<string> {
  if (limits.burst < limits.requestsPerSecond) {
    yield 'limits.burst: is below requestsPerSecond, so honest callers would be throttled below the rate you chose; make it at least as much';
  }
  const { preflightBurst, preflightsPerSecond } = limits;
  const isPreflightGiven = preflightBurst !== undefined || preflightsPerSecond !== undefined;
  const burst = preflightBurst ?? limits.burst;
  if (isPreflightGiven && burst < (preflightsPerSecond ?? limits.requestsPerSecond)) {
    yield 'limits.preflightBurst: is below preflightsPerSecond, so browsers would be throttled below the rate you chose; make it at least as much';
  }
  const { reservedConcurrency, provisionedConcurrency } = limits;
  if ((provisionedConcurrency ?? 0) > (reservedConcurrency ?? Number.POSITIVE_INFINITY)) {
    yield 'limits.provisionedConcurrency: is above reservedConcurrency, which Lambda refuses, so the deployment would fail half-way; make it at most as much';
  }
}

function* problemsWithIgnoredKeys({ cognito, issuers, logs }: CompleteSettings): Generator<string> {
  if (Object.keys(cognito).length > 0 && issuers.length > 0) {
    yield 'cognito: is given beside issuers, but nothing is created in Cognito if there are some, so it would be ignored; remove one of them';
  }
  if (logs.accountRole && !logs.access) {
    yield 'logs.accountRole: is given without access logs, so a setting of the whole account would change for nothing; remove it, or set logs.access';
  }
}

/** What a configuration names that cannot be used from the Region of its stack, if that is known. */
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
        `${key}: is in ${elsewhere}, but the stack goes to ${region}, where it cannot be used, so the deployment would fail half-way; name one in ${region}`,
      );
    }
  }
  return problems;
}
