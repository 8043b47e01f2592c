import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true });
const { AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS: chime = '', AWS_ENDPOINT_URL_DYNAMODB: dynamodb = '' } =
  process.env;

/**
 * The floor of a request's duration: the three round trips that the promises ask for, one after the other, as bare HTTP
 * on open connections with bodies as long as the function's, and nothing else.
 */
export async function handler(event: { path: string; body: string }): Promise<object> {
  await put('intent', event.body.length);
  const body = await post(
    `${chime}${event.path}?operation=batch-create`,
    { 'Content-Type': 'application/json' },
    event.body,
  );
  await put('outcome', event.body.length * 4);
  return { statusCode: 200, body };
}

let puts = 0;

function put(kind: string, bytes: number): Promise<string> {
  puts += 1;
  const Item = {
    meetingId: { S: 'm' },
    recordId: { S: String(puts) },
    kind: { S: kind },
    filler: { S: 'x'.repeat(bytes) },
  };
  return post(
    dynamodb,
    { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'DynamoDB_20120810.PutItem' },
    JSON.stringify({ Item, ConditionExpression: 'attribute_not_exists(recordId)' }),
  );
}

function post(url: string, headers: Record<string, string>, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { agent, method: 'POST', headers }, async (response) => {
      resolve((await response.setEncoding('utf8').toArray()).join(''));
    })
      .on('error', reject)
      .end(body);
  });
}
