import { ChimeSDKMeetingsClient, CreateAttendeeCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';

const chime = new ChimeSDKMeetingsClient();
const dynamodb = new DynamoDBClient();

/** Works like Amazon's own sample application: one read of a table, one attendee; no token, no rule, no record. */
export async function handler(event: { pathParameters: { MeetingId: string }; body: string }) {
  const { MeetingId } = event.pathParameters;
  await dynamodb.send(new GetItemCommand({ TableName: 'meetings', Key: { Title: { S: MeetingId } } }));
  const [{ ExternalUserId }] = JSON.parse(event.body).Attendees;
  const { Attendee } = await chime.send(new CreateAttendeeCommand({ MeetingId, ExternalUserId }));
  return { statusCode: 200, body: JSON.stringify({ Attendees: [Attendee], Errors: [] }) };
}
