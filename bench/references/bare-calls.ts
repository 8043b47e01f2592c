import { BatchCreateAttendeeCommand, GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { type AttributeValue, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { createChimeClient, createDynamoDBClient } from '../../lambda/aws/clients.ts';
import { verifier } from './verifier.ts';

const { AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS = '', AWS_ENDPOINT_URL_DYNAMODB = '' } = process.env;
const chime = createChimeClient({ region: 'us-east-1', endpoint: AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS });
const dynamodb = createDynamoDBClient({ region: 'us-east-1', endpoint: AWS_ENDPOINT_URL_DYNAMODB });

/**
 * The least of a first request with the function's own clients: a token, a meeting, and the three round trips that the
 * promises ask for, with next to nothing in the records; no rule, no check, no error, no log, no metric, no admission.
 */
export async function handler(event: {
  headers: Record<string, string>;
  pathParameters: { MeetingId: string };
  body: string;
}): Promise<object> {
  await verifier.verify(event.headers['Authorization']?.slice('Bearer '.length) ?? '');
  const { MeetingId } = event.pathParameters;
  await chime.send(new GetMeetingCommand({ MeetingId }));
  await put(MeetingId, 'intent', { requested: { S: event.body } });
  const { Attendees = [], Errors } = await chime.send(
    new BatchCreateAttendeeCommand({ MeetingId, Attendees: JSON.parse(event.body).Attendees }),
  );
  const issued = Attendees.map(({ AttendeeId = '' }) => ({ S: AttendeeId }));
  await put(MeetingId, 'outcome', { issued: { L: issued } });
  return { statusCode: 200, body: JSON.stringify({ Attendees, Errors }) };
}

async function put(meetingId: string, kind: string, facts: Record<string, AttributeValue>): Promise<void> {
  await dynamodb.send(
    new PutItemCommand({
      TableName: 'audit',
      Item: { meetingId: { S: meetingId }, recordId: { S: kind }, kind: { S: kind }, ...facts },
      ConditionExpression: 'attribute_not_exists(recordId)',
    }),
  );
}
