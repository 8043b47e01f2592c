import type { APIGatewayProxyEvent } from 'aws-lambda';
import { FacadeError } from '../model/errors.ts';
import type { Meeting } from '../model/meetings.ts';
import type { OperationName } from '../model/operations.ts';
import type { Caller } from '../model/ports.ts';
import { authorizeAttendees, authorizeMeeting, type Purpose } from './authorize.ts';
import { type AskedAttendees, type CreatedAttendees, createAttendees } from './create-attendees.ts';
import { type FoundMeeting, getMeeting } from './get-meeting.ts';
import { leadsTo, parseBatch, parseMeeting } from './http/request.ts';
import {
  authorizeByToken,
  authorizeMeetingByToken,
  type Decision,
  type Grant,
  type MeetingGrant,
} from './policy.ts';
import type { Asked, CallerRequest, Dependencies } from './request.ts';

/**
 * A Chime operation that Usher offers. `Granted` is what the token allows the caller, `Authorized` what the use case gets
 * once the meeting allows it too.
 */
interface Operation<
  What extends Asked,
  Granted extends MeetingGrant,
  Authorized,
  Answer extends OperationAnswer,
> {
  name: OperationName;
  method: string;
  resource: string;
  /** The value of the query parameter `operation`, if Chime distinguishes operations at one path by it. */
  query?: string;
  /** The validator. @throws FacadeError `BadRequest` */
  parse(event: APIGatewayProxyEvent): What;
  /** The rules that need only the token. */
  decide(caller: Caller, asked: What): Decision<Granted>;
  /** The requested ExternalUserIds, for the record of a denial. */
  namesIn(asked: What): readonly string[];
  /** Applies that decision, and the rule that needs the meeting. @throws FacadeError */
  authorize(
    request: CallerRequest<What>,
    decision: Decision<Granted>,
    purpose: Purpose,
    dependencies: Dependencies,
  ): Promise<Authorized>;
  /** The use case. @throws FacadeError */
  run(request: CallerRequest<What>, authorized: Authorized, dependencies: Dependencies): Promise<Answer>;
  /** The body of the answer, in Chime's shape. */
  bodyOf(answer: Answer): object;
}

interface OperationAnswer {
  chimeRequestId: string | undefined;
}

/** An operation without its type parameters. */
export interface Route
  extends Pick<
    Operation<Asked, MeetingGrant, unknown, OperationAnswer>,
    'name' | 'method' | 'resource' | 'query'
  > {
  /** Turns the request of a known caller into its answer. @throws FacadeError */
  serve(
    event: APIGatewayProxyEvent,
    request: Omit<CallerRequest, 'asked'>,
    dependencies: Dependencies,
  ): Promise<OperationAnswer & { body: object }>;
}

const routeOf = <
  What extends Asked,
  Granted extends MeetingGrant,
  Authorized,
  Answer extends OperationAnswer,
>(
  operation: Operation<What, Granted, Authorized, Answer>,
): Route => ({
  ...operation,
  async serve(event, known, dependencies) {
    const asked = operation.parse(event);
    const request = { ...known, asked };
    const decision = operation.decide(request.caller, asked);
    const purpose = { operation: operation.name, names: operation.namesIn(asked) };
    const authorized = await operation.authorize(request, decision, purpose, dependencies);
    const answer = await operation.run(request, authorized, dependencies);
    return { chimeRequestId: answer.chimeRequestId, body: operation.bodyOf(answer) };
  },
});

export const ROUTES: readonly Route[] = [
  routeOf<AskedAttendees, Grant, Grant, CreatedAttendees>({
    name: 'BatchCreateAttendee',
    method: 'POST',
    resource: '/meetings/{MeetingId}/attendees',
    query: 'batch-create',
    parse: parseBatch,
    decide: authorizeByToken,
    namesIn: ({ attendees }) => attendees.map(({ ExternalUserId }) => ExternalUserId),
    authorize: authorizeAttendees,
    run: createAttendees,
    bodyOf: ({ attendees, errors }) => ({ Attendees: attendees, Errors: errors }),
  }),
  routeOf<Asked, MeetingGrant, Meeting, FoundMeeting>({
    name: 'GetMeeting',
    method: 'GET',
    resource: '/meetings/{MeetingId}',
    parse: parseMeeting,
    decide: (caller, { meetingId }) => authorizeMeetingByToken(caller, meetingId),
    namesIn: () => [],
    authorize: authorizeMeeting,
    run: getMeeting,
    bodyOf: ({ meeting }) => ({ Meeting: meeting }),
  }),
];

/** @throws FacadeError `NotFound` for a path, `BadRequest` for a method or operation that is not offered */
export function routeTo(event: APIGatewayProxyEvent, routes: readonly Route[] = ROUTES): Route {
  const paths = [event.path, event.requestContext.path];
  const here = routes.filter(
    ({ resource }) => resource === event.resource && paths.every((path) => leadsTo(resource, path)),
  );
  if (here.length === 0) {
    const offered = routes.map(
      ({ method, resource, query }) =>
        `${method} ${resource}${query === undefined ? '' : `?operation=${query}`}`,
    );
    throw new FacadeError('NotFound', `There is nothing at this path. Use ${offered.join(' or ')}.`, {
      reason: 'path',
    });
  }
  const ofMethod = here.filter(({ method }) => method === event.httpMethod);
  if (ofMethod.length === 0) {
    const methods = [...new Set(here.map(({ method }) => method))];
    const offered = `${methods.join(' and ')} ${methods.length > 1 ? 'are' : 'is'}`;
    throw new FacadeError('BadRequest', `Only ${offered} offered at this path.`, { reason: 'method' });
  }
  const operations = event.multiValueQueryStringParameters?.['operation'] ?? [];
  const route = ofMethod.find(({ query }) =>
    query === undefined ? operations.length === 0 : operations.length === 1 && operations[0] === query,
  );
  if (route !== undefined) return route;
  throw new FacadeError(
    'BadRequest',
    `The query parameter operation must be ${operationsOf(ofMethod)}: no other operation is offered here.`,
    { reason: 'operation' },
  );
}

/** Such as `given once, as batch-create`. */
function operationsOf(routes: readonly Route[]): string {
  const queries = routes.flatMap(({ query }) => query ?? []);
  const ways = [
    ...(queries.length < routes.length ? ['left out'] : []),
    ...(queries.length > 0 ? [`given once, as ${queries.join(' or ')}`] : []),
  ];
  return ways.join(', or ');
}
