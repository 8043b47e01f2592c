import { ChimeSDKMeetings } from '@aws-sdk/client-chime-sdk-meetings';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { verifier } from './verifier.ts';

const chime = new ChimeSDKMeetings();
const known = new Map<string | undefined, string[]>();

/**
 * The same facade as one would write it in an afternoon: the SDK with its defaults, a verified token, a checked body, the
 * meeting's tenants, an answer in Chime's shape, and no record of any of it.
 */
export async function handler(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  try {
    const token = event.headers['Authorization']?.replace(/^Bearer /, '') ?? '';
    const claims = await verifier.verify(token).catch(() => undefined);
    if (claims === undefined) return answer(401, { Code: 'Unauthorized', Message: 'Unauthorized' });
    if (!String(claims['scope']).split(' ').includes('attendees.create')) {
      return answer(403, { Code: 'Forbidden', Message: 'Forbidden' });
    }
    const { Attendees: requested } = JSON.parse(event.body ?? '');
    if (!isList(requested)) {
      return answer(400, {
        Code: 'BadRequest',
        Message: 'Attendees must be 1 to 100 with an ExternalUserId each',
      });
    }
    const MeetingId = event.pathParameters?.['MeetingId'];
    if (!(await tenantsOf(MeetingId)).includes(String(claims['tenant']))) {
      return answer(404, { Code: 'NotFound', Message: 'Meeting not found' });
    }
    const { Attendees, Errors } = await chime.batchCreateAttendee({
      MeetingId,
      Attendees: requested,
    });
    return answer(200, { Attendees, Errors });
  } catch (error) {
    console.error(error);
    return answer(500, { Code: 'ServiceFailure', Message: 'Internal server error' });
  }
}

async function tenantsOf(MeetingId: string | undefined): Promise<string[]> {
  const tenants = known.get(MeetingId) ?? (await chime.getMeeting({ MeetingId })).Meeting?.TenantIds ?? [];
  known.set(MeetingId, tenants);
  return tenants;
}

function isList(attendees: unknown): attendees is { ExternalUserId: string }[] {
  return (
    Array.isArray(attendees) &&
    attendees.length >= 1 &&
    attendees.length <= 100 &&
    attendees.every(
      ({ ExternalUserId: name }) => typeof name === 'string' && name.length >= 2 && name.length <= 64,
    )
  );
}

function answer(statusCode: number, body: object): APIGatewayProxyResult {
  return { statusCode, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}
