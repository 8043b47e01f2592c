import { setTimeout as pause } from 'node:timers/promises';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { queryOf, TABLES } from '../../../lambda/audit/schema.ts';
import type { Judgement } from '../../../lambda/observer/judge.ts';
import { type Check, deploymentOf, expectSame, expectThat, NotCheckable } from '../check.ts';
import { type DeployedFunction, ofType } from '../stack.ts';
import type { World } from '../world.ts';

/** Chime promises no time; EventBridge and Lambda take seconds. */
const RECORDED_WITHIN_MS = 90_000;
const RETRY_MS = 1_000;

/** Whether Chime's events of the attendees of this run are recorded, and what becomes of those that are not. */
export const events: Check[] = [
  {
    name: 'are recorded: that an attendee was added',
    run: async (world) => {
      if (world.kind === 'emulator') throw new NotCheckable('no Chime sends events to the emulator');
      const eventTableName = eventTableOf(world);
      const attendeeIds = world.answered.flatMap(({ attendees }) =>
        attendees.flatMap(({ AttendeeId }) => AttendeeId ?? []),
      );
      expectThat(attendeeIds.length > 0, 'no batch was answered before');
      const beginMs = performance.now();
      // Best effort: one of them may be lost, not all.
      while (!(await anyRecorded(world, eventTableName, attendeeIds))) {
        expectThat(
          performance.now() - beginMs < RECORDED_WITHIN_MS,
          `no event of ${attendeeIds.length} attendees is recorded: is the observer's rule enabled, and is Chime in ${world.region}?`,
        );
        await pause(RETRY_MS);
      }
      return undefined;
    },
  },
  {
    name: 'that cannot be recorded go to the dead-letter queue',
    run: async (world) => {
      const observer = observerOf(world);
      if (world.kind !== 'aws') throw new NotCheckable('only AWS hands on what a function failed at');
      const { call, stack } = deploymentOf(world);
      const { DestinationConfig } = await call<{
        DestinationConfig?: { OnFailure?: { Destination?: string } };
      }>('lambda', 'GetFunctionEventInvokeConfig', {
        FunctionName: observer.FunctionName,
        Qualifier: 'live',
      });
      const destination = DestinationConfig?.OnFailure?.Destination ?? '';
      const queues = ofType(stack.resources, 'AWS::SQS::Queue').map(({ PhysicalResourceId }) =>
        PhysicalResourceId.split('/').at(-1),
      );
      expectThat(
        queues.includes(destination.split(':').at(-1)),
        `what fails goes to ${destination || 'nowhere'}, which is no queue of the stack`,
      );
      return undefined;
    },
  },
  {
    name: 'are judged when it is asked to',
    run: async (world) => {
      const observer = observerOf(world);
      const { call } = deploymentOf(world);
      const { FunctionError, Payload } = await call<{ FunctionError?: string; Payload?: Uint8Array }>(
        'lambda',
        'Invoke',
        { FunctionName: `${observer.FunctionName}:live`, Payload: '{"judge":"last"}' },
      );
      const payload = Buffer.from(Payload ?? []).toString();
      expectThat(FunctionError === undefined, `the observer failed (${FunctionError}): ${payload}`);
      const { quarter, attendees, withoutRecord, notJudged } = JSON.parse(payload) as Judgement;
      expectSame('notJudged', notJudged, 0);
      return `${quarter}: ${attendees} attendees, ${withoutRecord} without a record`;
    },
  },
];

/** @throws NotCheckable with the reason, if events are not recorded */
function eventTableOf({ tables, meetingsRegion, region }: World): string {
  const { eventTableName } = tables;
  if (eventTableName !== undefined) return eventTableName;
  throw new NotCheckable(
    meetingsRegion === region
      ? 'events are off by configuration'
      : `events are off, since Chime sends those of meetings in ${meetingsRegion} there, and the stack is in ${region}`,
  );
}

/** @throws NotCheckable if there is none */
function observerOf(world: World): DeployedFunction {
  eventTableOf(world);
  const { observer } = deploymentOf(world).stack;
  if (observer === undefined) throw new NotCheckable('the stack has no observer');
  return observer;
}

async function anyRecorded(
  { tables }: World,
  TableName: string,
  attendeeIds: readonly string[],
): Promise<boolean> {
  for (const attendeeId of attendeeIds) {
    const { Count = 0 } = await tables.client.send(
      new QueryCommand({ TableName, ...queryOf(TABLES.events, attendeeId), Limit: 1 }),
    );
    if (Count > 0) return true;
  }
  return false;
}
