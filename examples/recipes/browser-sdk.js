// For a bundler such as esbuild or Vite; the page's origin must be in the deployment's `allowedOrigins`.
import {
  BatchCreateAttendeeCommand,
  ChimeSDKMeetingsClient,
  GetMeetingCommand,
} from '@aws-sdk/client-chime-sdk-meetings';

/**
 * Admits the user of this page to a meeting.
 *
 * @param {{ url: string, getToken: () => Promise<string>, meetingId: string, name: string }} options
 * `url` without a slash at the end; `name` as in the token
 * @returns the attendee, as `MeetingSessionConfiguration` of amazon-chime-sdk-js takes it
 */
export async function letIn({ url, getToken, meetingId, name }) {
  const { Attendees, Errors } = await clientOf({ url, getToken }).send(
    new BatchCreateAttendeeCommand({
      MeetingId: meetingId,
      Attendees: [
        {
          ExternalUserId: name,
          Capabilities: { Audio: 'SendReceive', Video: 'SendReceive', Content: 'Receive' },
        },
      ],
    }),
  );
  // A batch can partly fail with 200.
  if (Errors.length > 0) throw new Error(`${Errors[0].ErrorCode}: ${Errors[0].ErrorMessage}`);
  return Attendees[0];
}

/**
 * What joining needs of a meeting that the user of this page may join.
 *
 * @param {{ url: string, getToken: () => Promise<string>, meetingId: string }} options
 * @returns the meeting, as `MeetingSessionConfiguration` takes it
 */
export async function getMeeting({ url, getToken, meetingId }) {
  const { Meeting } = await clientOf({ url, getToken }).send(new GetMeetingCommand({ MeetingId: meetingId }));
  return Meeting;
}

function clientOf({ url, getToken }) {
  return new ChimeSDKMeetingsClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    signer: {
      async sign(request) {
        request.headers.authorization = `Bearer ${await getToken()}`;
        return request;
      },
    },
    maxAttempts: 6,
  });
}
