import { type Check, expectSame, expectThat, NotCheckable } from '../check.ts';
import { admit } from '../requests.ts';
import type { AnsweredBatch } from '../world.ts';

const BATCH_LIMIT = 100;
/** AWS's quota of attendees per meeting. */
const MEETING_LIMIT = 250;
const WATCH_ONLY = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' } as const;

/** Behaviour that Chime's published model does not describe. */
export const chime: Check[] = [
  {
    name: 'answers an existing ExternalUserId with the same attendee and the same JoinToken',
    run: async (world) => {
      const request = [{ ExternalUserId: world.nameOf('again') }];
      const [first] = (await admit(world, request)).attendees;
      const [second] = (await admit(world, request)).attendees;
      expectSame('the second AttendeeId', second?.AttendeeId, first?.AttendeeId);
      expectThat(second?.JoinToken === first?.JoinToken, 'the second JoinToken is another one');
      return undefined;
    },
  },
  {
    name: 'answers a batch that names a user twice',
    run: async (world) => {
      const name = world.nameOf('twice');
      const answer = await refusedOr(admit(world, [{ ExternalUserId: name }, { ExternalUserId: name }]));
      if (typeof answer === 'string') return answer;
      const ids = new Set(answer.attendees.map(({ AttendeeId }) => AttendeeId));
      return `${answer.attendees.length} answered, ${ids.size} different; ${codesOf(answer)}`;
    },
  },
  {
    name: 'answers an existing attendee that is asked for with other capabilities',
    run: async (world) => {
      const ExternalUserId = world.nameOf('fewer');
      await admit(world, [{ ExternalUserId }]);
      const answer = await refusedOr(admit(world, [{ ExternalUserId, Capabilities: WATCH_ONLY }]));
      if (typeof answer === 'string') return answer;
      const [attendee] = answer.attendees;
      return attendee === undefined
        ? codesOf(answer)
        : `the attendee ${attendee.Capabilities?.Audio === 'Receive' ? 'now has the new' : 'still has the old'} capabilities`;
    },
  },
  {
    name: `answers for more than ${MEETING_LIMIT} attendees in one meeting`,
    run: async (world) => {
      const { MeetingId: meetingId } = await world.meetings.create();
      let admitted = 0;
      while (admitted < MEETING_LIMIT + BATCH_LIMIT) {
        const names = Array.from({ length: BATCH_LIMIT }, (_, i) => ({
          ExternalUserId: world.nameOf(`full-${admitted + i}`),
        }));
        const answer = await refusedOr(admit(world, names, { meetingId }));
        if (typeof answer === 'string') return `${answer} after ${admitted}`;
        if (answer.errors.length > 0)
          return `${answer.attendees.length} of ${BATCH_LIMIT}; ${codesOf(answer)}`;
        admitted += answer.attendees.length;
      }
      return `${admitted} were admitted: the account's quota is higher`;
    },
  },
  {
    name: 'permits the function Chime by the form of the meeting ARN that Chime uses',
    run: async ({ meetings, deployment }) => {
      const { MeetingArn } = await meetings.create();
      const [, , , region, owner] = MeetingArn?.split(':') ?? [];
      if (region === undefined) throw new NotCheckable('CreateMeeting answers no MeetingArn');
      const form = `the ARN has ${region ? 'a' : 'no'} Region`;
      if (deployment === undefined) return form;
      if (owner !== deployment.stack.handler.Role.split(':')[4]) {
        throw new NotCheckable(`this Chime has meetings of another account; ${form}`);
      }
      const { EvaluationResults = [] } = await deployment.call<{
        EvaluationResults?: { EvalActionName: string; EvalDecision: string }[];
      }>('iam', 'SimulatePrincipalPolicy', {
        PolicySourceArn: deployment.stack.handler.Role,
        ActionNames: ['chime:BatchCreateAttendee', 'chime:GetMeeting'],
        ResourceArns: [MeetingArn],
      });
      const denied = EvaluationResults.filter(({ EvalDecision }) => EvalDecision !== 'allowed');
      expectSame(
        'what the role may not do',
        denied.map(({ EvalActionName }) => EvalActionName),
        [],
      );
      return form;
    },
  },
];

/** The answer, or the error class if Chime refuses with a client error. @throws any other error */
async function refusedOr(answer: Promise<AnsweredBatch>): Promise<AnsweredBatch | string> {
  try {
    return await answer;
  } catch (error) {
    const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    const status = $metadata?.httpStatusCode ?? 500;
    if (status >= 500 || status === 429) throw error;
    return `refused: ${status} ${name}`;
  }
}

function codesOf({ errors }: AnsweredBatch): string {
  const codes = [...new Set(errors.map(({ ErrorCode }) => ErrorCode))];
  return codes.length === 0 ? 'no ErrorCode' : `ErrorCode ${codes.join(', ')}`;
}
