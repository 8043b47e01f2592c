import { createFacade } from './plain-facade.ts';

/** The plain facade with a body checked by hand: the faster way to write it, so the one that counts. */
export const handler = createFacade((body) => {
  const { Attendees } = body as { Attendees?: unknown };
  const right =
    Array.isArray(Attendees) &&
    Attendees.length >= 1 &&
    Attendees.length <= 100 &&
    Attendees.every(
      ({ ExternalUserId: name }) => typeof name === 'string' && name.length >= 2 && name.length <= 64,
    );
  return right
    ? { attendees: Attendees }
    : { wrong: 'Attendees must be 1 to 100 with an ExternalUserId each' };
});
