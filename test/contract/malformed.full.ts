import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { chimeControl, createMeeting, mintToken } from '../support/contract/clients.ts';
import {
  CANARY,
  type MalformedRequest,
  malformedRequests,
  type Tokens,
} from '../support/contract/malformed.ts';
import { type RunningSystem, startSystem, unthrottledConfig } from '../support/local.ts';

const REQUESTS = 20_000;
const SEED = 20261123;
const AT_ONCE = 8;
/** Much longer than any of them takes, and short enough for a test. */
const HUNG_MS = 10_000;

let system: RunningSystem;
let tokens: Tokens;
beforeAll(async () => {
  system = await startSystem({ config: unthrottledConfig() });
  const mint = (options = {}) => mintToken(system.environment, { sub: CANARY, ...options });
  tokens = {
    delegate: await mint(),
    scopeless: await mint({ scope: '' }),
    expired: await mint({ expiresIn: '-60' }),
    foreign: await mint({ claim: ['tenant=globex'] }),
    guest: await mint({ scope: 'attendees.create.self', sub: `${CANARY}-self` }),
  };
}, 60_000);
afterAll(() => system.stop());

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });

async function send({ method, path, headers, body }: MalformedRequest) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { origin, pathname } = new URL(system.environment.apiUrl);
  const request = httpRequest(
    origin,
    {
      agent,
      method,
      path: pathname + path,
      timeout: HUNG_MS,
      headers: { ...headers, 'Content-Length': body.length },
    },
    resolve,
  );
  request.on('timeout', () => request.destroy(new Error('hung'))).on('error', reject);
  request.end(body);
  const response = await promise;
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

const CODES: Record<number, string[]> = {
  400: ['BadRequest'],
  401: ['Unauthorized'],
  403: ['Forbidden'],
  404: ['NotFound'],
  429: ['Throttling'],
};

/** What is wrong with an answer; undefined for one that keeps to the contract. */
function problemWith(
  request: MalformedRequest,
  { status, headers, body }: Awaited<ReturnType<typeof send>>,
): string | undefined {
  const codes = CODES[status];
  if (codes === undefined) return `status ${status}`;
  const type = String(headers['x-amzn-errortype']);
  if (!codes.includes(type.replace(/Exception$/, ''))) return `x-amzn-ErrorType ${type} with ${status}`;
  if (body.includes(CANARY)) return `an echo: ${body}`;
  if (request.method === 'HEAD') return body === '' ? undefined : 'a body after HEAD';
  const { Code, Message, RequestId, ...more } = JSON.parse(body);
  if (`${Code}Exception` !== type) return `Code ${Code} with ${type}`;
  if (RequestId !== headers['x-amzn-requestid']) return `RequestId ${RequestId}`;
  if (typeof Message !== 'string' || Message === '' || Message.length > 4_096) return `Message ${Message}`;
  return Object.keys(more).length > 0 ? `members ${Object.keys(more)}` : undefined;
}

it(`answers ${REQUESTS} malformed requests with modelled errors, and stays silent about what they held`, async () => {
  const meetingId = await createMeeting(system.environment);
  const requests = malformedRequests(REQUESTS, SEED, meetingId, tokens);
  const processes = system.handlerProcessIds();
  const counts = new Map<string, number>();
  const problems: string[] = [];
  const left = requests.entries();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const [index, request] of left) {
        const said = await send(request).then(
          (answer) => {
            const key = `${request.defect}: ${answer.status} ${answer.headers['x-amzn-errortype']}`;
            counts.set(key, (counts.get(key) ?? 0) + 1);
            return problemWith(request, answer);
          },
          (error: Error) => error.message,
        );
        if (said !== undefined) {
          const { defect, method, path, headers } = request;
          problems.push(
            `${index} ${said.slice(0, 300)} after ${defect}: ${method} ${path.slice(0, 200)} ${JSON.stringify(headers).slice(0, 300)}`,
          );
        }
      }
    }),
  );
  console.log(
    [...counts]
      .toSorted()
      .map(([key, count]) => `${String(count).padStart(7)}  ${key}`)
      .join('\n'),
  );
  expect(problems.slice(0, 20)).toEqual([]);

  // A crashed process would have been replaced.
  expect(system.handlerProcessIds()).toEqual(expect.arrayContaining(processes));
  expect(await chimeControl(system.environment).calls('BatchCreateAttendee')).toEqual([]);
  const log = system.stdout() + system.stderr();
  expect(log.split('\n').filter((line) => line.startsWith('{')).length).toBeGreaterThan(REQUESTS / 2);
  expect(log).not.toContain(CANARY);
  for (const token of Object.values(tokens)) expect(log).not.toContain(token.split('.').at(-1));
}, 180_000);
