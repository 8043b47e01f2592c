// USHER_URL=… USHER_TOKEN=… MEETING_ID=… node node-sdk.js alice bob
import {
  BatchCreateAttendeeCommand,
  ChimeSDKMeetingsClient,
  NotFoundException,
  UnauthorizedException,
} from '@aws-sdk/client-chime-sdk-meetings';

const { USHER_URL, USHER_TOKEN, MEETING_ID } = process.env;

const client = new ChimeSDKMeetingsClient({
  // The URL that the deployment prints, without a slash at the end: with the stage, or the root of a custom domain.
  endpoint: USHER_URL,
  // Any Region and credentials: the client requires some, but nothing is signed.
  region: 'us-east-1',
  credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  signer: {
    async sign(request) {
      // Called before every attempt: the place to get a fresh token.
      request.headers.authorization = `Bearer ${USHER_TOKEN}`;
      return request;
    },
  },
  // Chime takes 10 batches a second for a whole account: the default of three attempts is low for a rush.
  maxAttempts: 6,
});

try {
  const { Attendees, Errors } = await client.send(
    new BatchCreateAttendeeCommand({
      MeetingId: MEETING_ID,
      Attendees: process.argv.slice(2).map((ExternalUserId) => ({ ExternalUserId })),
    }),
  );
  console.log(JSON.stringify({ Attendees, Errors }));
} catch (error) {
  if (error instanceof NotFoundException) console.error('The meeting has ended, or you may not join it.');
  else if (error instanceof UnauthorizedException) console.error('The token is missing or has expired.');
  else console.error(`${error.name}: ${error.message}`);
  // Quote this when you ask for help.
  console.error(`Request ${error.$metadata?.requestId}`);
  process.exitCode = 1;
}
