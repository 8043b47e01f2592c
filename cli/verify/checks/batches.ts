import type { AttendeeCapabilities, CreateAttendeeRequestItem } from '@aws-sdk/client-chime-sdk-meetings';
import { type Check, expectSame, expectThat } from '../check.ts';
import { admit } from '../requests.ts';
import type { World } from '../world.ts';

const MAX_ATTENDEES = 100;
const EVERYTHING = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' } as const;
const WATCH_ONLY = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' } as const;

/** What AWS's core firewall rules look for in a body, in characters that a name may have. */
const SUSPICIOUS_NAMES = ['../../etc/passwd', 'http://169.254.169.254/', "javascript:alert('x')"];

/** Batches that are admitted, sent with the stock SDK. */
export const batches: Check[] = [
  {
    name: 'admits one attendee',
    run: (world) => admitsAll(world, [{ ExternalUserId: world.nameOf('one') }]),
  },
  {
    name: `admits ${MAX_ATTENDEES} attendees, every second one with capabilities`,
    run: (world) =>
      admitsAll(
        world,
        Array.from({ length: MAX_ATTENDEES }, (_, i) => ({
          ExternalUserId: world.nameOf(i),
          ...(i % 2 === 1 && { Capabilities: WATCH_ONLY }),
        })),
      ),
  },
  {
    name: 'admits names that a firewall takes for attacks',
    run: (world) =>
      admitsAll(
        world,
        SUSPICIOUS_NAMES.map((name) => ({ ExternalUserId: world.nameOf(name) })),
      ),
  },
];

/** Every attendee is answered, with its own token and the requested capabilities. */
async function admitsAll(world: World, requested: CreateAttendeeRequestItem[]): Promise<string> {
  const startMs = performance.now();
  const { attendees, errors, batchId } = await admit(world, requested);
  const durationMs = Math.round(performance.now() - startMs);
  expectSame(
    'Errors',
    errors.map(({ ErrorCode }) => ErrorCode),
    [],
  );
  expectSame(
    'the names',
    attendees.map(({ ExternalUserId }) => ExternalUserId),
    requested.map(({ ExternalUserId }) => ExternalUserId),
  );
  expectSame(
    'the capabilities',
    attendees.map(({ Capabilities }) => inOrder(Capabilities)),
    requested.map(({ Capabilities }) => inOrder(Capabilities ?? EVERYTHING)),
  );
  const tokens = new Set(attendees.map(({ JoinToken }) => JoinToken));
  expectThat(!tokens.has(undefined), 'an attendee has no JoinToken');
  expectSame('the number of different JoinTokens', tokens.size, requested.length);
  expectThat(batchId !== '', 'the answer has no x-usher-batch-id');
  return `${durationMs} ms`;
}

const inOrder = (capabilities?: AttendeeCapabilities) => [
  capabilities?.Audio,
  capabilities?.Video,
  capabilities?.Content,
];
