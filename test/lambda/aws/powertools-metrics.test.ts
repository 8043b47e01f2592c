import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createMetrics } from '../../../lambda/aws/powertools-metrics.ts';

const VARIABLES = { POWERTOOLS_METRICS_NAMESPACE: 'Usher/test', POWERTOOLS_SERVICE_NAME: 'usher' };

let written = '';
const write = process.stdout.write;

beforeEach(() => {
  Object.assign(process.env, VARIABLES);
  written = '';
  process.stdout.write = ((text: string) => {
    written += text;
    return true;
  }) as typeof write;
});
afterEach(() => {
  process.stdout.write = write;
  for (const name of Object.keys(VARIABLES)) delete process.env[name];
});

const lines = () =>
  written
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

it('writes each count at once, as one line of the embedded metric format', () => {
  createMetrics()({ AttendeesIssued: 3, OldestOpenIntentAge: 70 });
  expect(lines()).toEqual([
    {
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [
          {
            Namespace: 'Usher/test',
            Dimensions: [['service']],
            Metrics: [
              { Name: 'AttendeesIssued', Unit: 'Count' },
              { Name: 'OldestOpenIntentAge', Unit: 'Seconds' },
            ],
          },
        ],
      },
      service: 'usher',
      AttendeesIssued: 3,
      OldestOpenIntentAge: 70,
    },
  ]);
});

it('adds a reason only to the metrics it was given with', () => {
  const addMetrics = createMetrics();
  addMetrics({ Denials: 1 }, 'scope');
  addMetrics({ BatchesAnswered: 1 });
  const [denied, answered] = lines();
  expect(denied).toMatchObject({ reason: 'scope', Denials: 1 });
  expect(denied._aws.CloudWatchMetrics[0].Dimensions).toEqual([['service', 'reason']]);
  expect(answered).not.toHaveProperty('reason');
  expect(answered).not.toHaveProperty('Denials');
});
