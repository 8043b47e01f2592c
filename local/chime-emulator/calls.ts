/** One call to the Meetings API as the emulator saw it. */
export interface Call {
  /** 1, 2, … in order of arrival; continues after the log is cleared. */
  seq: number;
  /** Arrival, ISO 8601. */
  at: string;
  /** The operation's name, or `Unknown`. */
  operation: string;
  method: string;
  /** Without the query string. */
  path: string;
  /** The query string without its question mark. */
  query: string;
  meetingId: string | null;
  requestId: string;
  /** `null` until something was answered. */
  status: number | null;
  /**
   * The fate of the answer: sent whole, connection reset instead, cut in mid body, client gone before it was sent
   * whole, or none yet.
   */
  outcome: 'pending' | 'answered' | 'reset' | 'truncated' | 'client-gone';
  /** Whether the operation succeeded, whatever was answered. */
  acted: boolean;
  /** BatchCreateAttendee: the requested names, in order, even if the request was refused. */
  attendeeNames?: string[];
  /** BatchCreateAttendee: its member Attendees as it came, capabilities included. */
  attendees?: unknown[];
}

export type CallLog = ReturnType<typeof createCallLog>;

/** The log of calls, kept until it is cleared. */
export function createCallLog() {
  let calls: Call[] = [];
  let seq = 0;
  return {
    /** Logs an arrival; the handler of the call completes the returned entry. */
    open(
      arrival: Pick<Call, 'at' | 'operation' | 'method' | 'path' | 'query' | 'meetingId' | 'requestId'>,
    ): Call {
      seq += 1;
      const call: Call = { seq, ...arrival, status: null, outcome: 'pending', acted: false };
      calls.push(call);
      return call;
    },
    list: (): readonly Call[] => calls,
    clear(): void {
      calls = [];
    },
  };
}
