import type { IssuedAttendee } from '../model/attendees.ts';
import type { Run } from './run.ts';

/** Chime's quota is 10 ListAttendees a second for the whole account; most of it is left to others. */
const LIST_INTERVAL_MS = 500;
/** After this many failures, Chime is not asked again until the next run. */
const MAX_LIST_FAILURES = 3;
/** A meeting has 250 attendees at most, and a page 100, or fewer as Chime likes; an endless list is an error. */
const MAX_PAGES = 40;

/** The result of one look. */
export interface Look {
  /** When the look began, in milliseconds since the epoch. */
  atMs: number;
  gone: boolean;
  /** Who exists; if the meeting ended during the listing, who was listed until then. */
  found: IssuedAttendee[];
}

/** Asks Chime who exists, at a limited rate. */
export class Looker {
  readonly #run: Run;
  #nextMs = 0;
  #failures = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  /** Whether Chime may still be asked in this run. */
  get isOpen(): boolean {
    return this.#failures < MAX_LIST_FAILURES && !this.#run.isOver();
  }

  /**
   * @returns undefined if time ran out
   * @throws if Chime fails
   */
  async look(meetingId: string): Promise<Look | undefined> {
    const { clock, pause } = this.#run.dependencies;
    const found = new Map<string, IssuedAttendee>();
    let atMs: number | undefined;
    let nextToken: string | undefined;
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      await pause(Math.max(0, this.#nextMs - clock.now()));
      if (this.#run.isOver()) return undefined;
      this.#nextMs = clock.now() + LIST_INTERVAL_MS;
      atMs ??= clock.now();
      const page = await this.#page(meetingId, nextToken);
      if (page === 'gone') return { atMs, gone: true, found: [...found.values()] };
      for (const attendee of page.attendees) found.set(attendee.attendeeId, attendee);
      if (!page.nextToken) return { atMs, gone: false, found: [...found.values()] };
      if (page.nextToken === nextToken) break;
      nextToken = page.nextToken;
    }
    this.#failures += 1;
    throw new EndlessList();
  }

  async #page(meetingId: string, nextToken: string | undefined) {
    this.#run.summary.listRequests += 1;
    try {
      return await this.#run.dependencies.attendeeList.page(meetingId, nextToken);
    } catch (error) {
      this.#failures += 1;
      throw error;
    }
  }
}

class EndlessList extends Error {
  override name = 'EndlessList';
}
