import { expect, it } from '@jest/globals';
import { createEventBus } from '../../local/event-bus.ts';

const pattern = { source: ['aws.chime'], detail: { eventType: ['chime:AttendeeJoined'] } };
const event = { source: 'aws.chime', detail: { eventType: 'chime:AttendeeJoined' } };

it('hands an event to what its pattern matches, and no other event', async () => {
  const had: unknown[] = [];
  const invoke = async (given: unknown) => void had.push(given);
  const bus = createEventBus([{ functionArn: 'arn', pattern }], new Map([['arn', { invoke }]]));
  bus.publish({ ...event, source: 'aws.s3' });
  bus.publish({ ...event, detail: { eventType: 'chime:AttendeeLeft' } });
  bus.publish({ source: 'aws.chime' });
  bus.publish(event);
  await bus.close();
  expect(had).toEqual([event]);
});

it('retries a failed event twice, and then gives up', async () => {
  let attempts = 0;
  const done = Promise.withResolvers<void>();
  const invoke = async () => {
    attempts += 1;
    if (attempts === 3) done.resolve();
    throw new Error('The function failed.');
  };
  const bus = createEventBus([{ functionArn: 'arn', pattern }], new Map([['arn', { invoke }]]), [1, 1]);
  bus.publish(event);
  await done.promise;
  await bus.close();
  expect(attempts).toBe(3);
});
