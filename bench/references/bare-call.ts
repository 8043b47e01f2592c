import { BatchCreateAttendeeCommand, ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';

const client = new ChimeSDKMeetingsClient({});

/** The floor of a request: one call of the SDK as it comes, with no token, no rule, no record. */
export async function handler(event: {
  pathParameters: { MeetingId: string };
  body: string;
}): Promise<object> {
  const { Attendees, Errors } = await client.send(
    new BatchCreateAttendeeCommand({
      MeetingId: event.pathParameters.MeetingId,
      Attendees: JSON.parse(event.body).Attendees,
    }),
  );
  return { statusCode: 200, body: JSON.stringify({ Attendees, Errors }) };
}
