import { Fn, Stack } from 'aws-cdk-lib';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { IConstruct } from 'constructs';
import { defaultNamespace, nameOf, problemWithNamespace } from '../facade-name.ts';
import type { AttendeeFacadeProps } from '../facade-props.ts';
import { problemsWithEnvironment } from '../handler-environment.ts';
import { problemWithRemovalPolicy } from '../removal-policy.ts';
import { checkSettings } from '../settings/complete.ts';
import type { CompleteSettings, FacadeSettings } from '../settings/props.ts';
import { isControlRegion, notAControlRegion } from '../settings/regions.ts';
import { problemsWithCollisions } from './collisions.ts';
import { throwProblems } from './configuration-error.ts';
import { problemsWithExistingResources } from './existing-resources.ts';
import { holdsLookupPlaceholder, isElsewhere, isKnown } from './known-at-synthesis.ts';

/** The props of a facade, checked, with every default filled in. */
export interface CheckedProps {
  settings: CompleteSettings;
  /** May be a token. */
  meetingsRegion: string;
  /** Unique in its account and Region. */
  name: string;
  namespace: string;
  /** Whether Chime's events are recorded. */
  recordsEvents: boolean;
}

/** @throws ConfigurationError with all problems, a line each */
export function checkProps(facade: IConstruct, props: AttendeeFacadeProps): CheckedProps {
  const { tables, encryptionKey, userPool, domain, alarmTopic, sealBucket, ...rest } = props;
  const { metricsNamespace, removalPolicy, bundlesDirectory, ...given } = rest;
  const stack = Stack.of(facade);
  const name = nameOf(facade);
  const namespace = metricsNamespace ?? defaultNamespace(name);
  const meetingsRegion = given.meetingsRegion ?? stack.region;
  const { complete: settings, problems } = checkBesideLookups(given);
  const existing = { tables, encryptionKey, userPool, domain, alarmTopic, sealBucket };
  const isEventSource = isRegionOf(stack, meetingsRegion);
  const recordsEvents = given.events?.enabled ?? isEventSource;
  throwProblems(facade.node.path, [
    ...problems,
    ...problemsWithRegions(meetingsRegion, stack.region),
    ...problemsWithEvents(given, { meetingsRegion, stackRegion: stack.region, recordsEvents }),
    ...problemsWithExistingResources(existing, given, { stack, recordsEvents }),
    ...problemWithNamespace(metricsNamespace),
    ...problemWithRemovalPolicy(removalPolicy),
    ...(settings === undefined
      ? []
      : [
          ...problemsWithCollisions(facade, { name, namespace, settings, userPool, domain }),
          ...problemsWithEnvironment(
            {
              settings,
              issuers: settings.issuers,
              meetingsRegion,
              auditTableName: tables?.audit?.tableName ?? NAME_TO_COME,
              admissionTableName: tables?.admissions?.tableName ?? NAME_TO_COME,
              metricsNamespace: namespace,
            },
            stack,
          ),
        ]),
  ]);
  return { settings: settings as CompleteSettings, meetingsRegion, name, namespace, recordsEvents };
}

/** Whether a Region is certainly that of a stack. */
function isRegionOf(stack: Stack, region: string): boolean {
  return region === stack.region || stack.resolve(region)?.Ref === 'AWS::Region';
}

function* problemsWithEvents(
  { events, alarms }: FacadeSettings,
  place: { meetingsRegion: string; stackRegion: string; recordsEvents: boolean },
): Generator<string> {
  const { meetingsRegion, stackRegion, recordsEvents } = place;
  if (events?.enabled === true && isElsewhere(meetingsRegion, stackRegion)) {
    yield `events.enabled: is true, but Chime sends the events of meetings in ${meetingsRegion} there, and the stack is in ${stackRegion}, so none would arrive; deploy to ${meetingsRegion}, or remove it`;
  }
  if (alarms?.attendeesWithoutRecord !== undefined && !recordsEvents) {
    yield 'alarms.attendeesWithoutRecord: is given, but no events are recorded, so the alarm would never go off; remove it, or see events.enabled';
  }
}

function* problemsWithRegions(meetingsRegion: string, stackRegion: string): Generator<string> {
  if (!isKnown(meetingsRegion)) return;
  if (!isControlRegion(meetingsRegion)) {
    yield `meetingsRegion: ${notAControlRegion(meetingsRegion)}`;
  }
  if (isKnown(stackRegion) && partitionOf(meetingsRegion) !== partitionOf(stackRegion)) {
    yield `meetingsRegion: ${meetingsRegion} and ${stackRegion} are in different partitions, and credentials are valid in one partition only, so every request would fail; deploy to a Region in the partition of the meetings`;
  }
}

/** Credentials are valid in one partition (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). */
function partitionOf(region: string): string | undefined {
  return RegionInfo.get(region).partition;
}

/** A placeholder for a name that CloudFormation makes. */
const NAME_TO_COME = Fn.getAtt('Table', 'Name').toString();

/** A placeholder for issuers that are still to be looked up. */
const ISSUER_TO_LOOK_UP: NonNullable<FacadeSettings['issuers']>[number] = {
  issuer: 'https://lookup.invalid',
  audience: ['lookup'],
  accessTokenMark: { typ: 'at+jwt' },
  scopes: { delegate: 'lookup' },
};

/**
 * Checks settings in which a value may still be looked up: CDK synthesizes once with placeholders and discards the
 * result, then again with the values. A key whose placeholder is invalid gets its default in the first pass.
 */
function checkBesideLookups(settings: FacadeSettings): ReturnType<typeof checkSettings> {
  const checked = checkSettings(settings);
  if (checked.complete !== undefined) return checked;
  const refused = Object.entries(settings).filter(
    ([key, value]) =>
      checked.problems.some((problem) => new RegExp(`^${key}\\b`).test(problem)) &&
      holdsLookupPlaceholder(value),
  );
  if (refused.length === 0) return checked;
  const keys = refused.map(([key]) => key);
  const rest = Object.entries(settings).filter(([key]) => !keys.includes(key));
  return checkBesideLookups({
    ...Object.fromEntries(rest),
    ...(keys.includes('issuers') ? { issuers: [ISSUER_TO_LOOK_UP] } : {}),
  });
}
