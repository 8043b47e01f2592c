import {
  BatchCreateAttendeeCommand,
  ChimeSDKMeetingsClient,
  GetMeetingCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import { BatchWriteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { AUDIT_TABLE_NAME: auditTable, ADMISSION_TABLE_NAME: admissionTable = '', ISSUERS = '' } = process.env;
const [rules] = JSON.parse(ISSUERS) as [{ issuer: string; jwksUris: [string]; audience: string[] }];
const keys = createRemoteJWKSet(new URL(rules.jwksUris[0]));
const chime = new ChimeSDKMeetingsClient();
const dynamodb = new DynamoDBClient();
const known = new Map<string | undefined, string[]>();

/**
 * The same facade as a quick implementation: the SDK and jose with their defaults, and the function's calls in the
 * function's order: keys, the meeting's tenants, an intent, Chime, admissions, an outcome.
 */
export async function handler(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  try {
    const token = event.headers['Authorization']?.replace(/^Bearer /, '') ?? '';
    const { issuer, audience } = rules;
    const { payload } = await jwtVerify(token, keys, { issuer, audience });
    const { Attendees: requested } = JSON.parse(event.body ?? '');
    const MeetingId = event.pathParameters?.['MeetingId'];
    if (!(await tenantsOf(MeetingId)).includes(String(payload['tenant']))) {
      return answer(404, { Code: 'NotFound', Message: 'Meeting not found' });
    }
    const batchId = `${Date.now()}-${Math.random()}`;
    await record({ meetingId: MeetingId, recordId: `${batchId}/intent`, kind: 'intent', requested });
    const { Attendees = [], Errors = [] } = await chime.send(
      new BatchCreateAttendeeCommand({ MeetingId, Attendees: requested }),
    );
    const issued = Attendees.map(({ JoinToken, ...rest }) => rest);
    await Promise.all(
      Array.from({ length: Math.ceil(issued.length / 25) }, (_, index) =>
        dynamodb.send(
          new BatchWriteItemCommand({
            RequestItems: {
              [admissionTable]: issued.slice(index * 25, index * 25 + 25).map((attendee) => ({
                PutRequest: { Item: marshall({ ...attendee, meetingId: MeetingId, batchId }) },
              })),
            },
          }),
        ),
      ),
    );
    await record({ meetingId: MeetingId, recordId: `${batchId}/outcome`, kind: 'outcome', issued });
    return answer(200, { Attendees, Errors });
  } catch (error) {
    console.error(error);
    return answer(500, { Code: 'ServiceFailure', Message: 'Internal server error' });
  }
}

function record(item: object) {
  return dynamodb.send(
    new PutItemCommand({
      TableName: auditTable,
      Item: marshall(item),
      ConditionExpression: 'attribute_not_exists(recordId)',
    }),
  );
}

async function tenantsOf(MeetingId: string | undefined): Promise<string[]> {
  const tenants =
    known.get(MeetingId) ?? (await chime.send(new GetMeetingCommand({ MeetingId }))).Meeting?.TenantIds ?? [];
  known.set(MeetingId, tenants);
  return tenants;
}

function answer(statusCode: number, body: object): APIGatewayProxyResult {
  return { statusCode, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}
