import type { Origin } from '../../lambda/audit/build-records.ts';
import { authorizeAttendees } from '../../lambda/create-attendees/authorize.ts';
import {
  type AskedAttendees,
  type CreatedAttendees,
  createAttendees,
} from '../../lambda/create-attendees/create-attendees.ts';
import { authorizeByToken } from '../../lambda/create-attendees/policy.ts';
import type { Dependencies } from '../../lambda/create-attendees/request.ts';
import { startTimeBudget } from '../../lambda/create-attendees/time-budget.ts';
import type { Caller } from '../../lambda/model/ports.ts';

/** Creates attendees as the route does once the caller is known. */
export async function createAttendeesFor(
  caller: Caller | Promise<Caller>,
  asked: AskedAttendees,
  { batchId, origin, stopsAtMs }: { batchId: string; origin: Origin; stopsAtMs: number },
  dependencies: Dependencies,
): Promise<CreatedAttendees> {
  const budget = startTimeBudget(dependencies.clock, stopsAtMs);
  const request = { batchId, caller: await caller, origin, budget, asked };
  const decision = authorizeByToken(request.caller, asked);
  const names = asked.attendees.map(({ ExternalUserId }) => ExternalUserId);
  const purpose = { operation: 'BatchCreateAttendee', names } as const;
  const grant = await authorizeAttendees(request, decision, purpose, dependencies);
  return createAttendees(request, grant, dependencies);
}
