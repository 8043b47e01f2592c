import type { Batch } from './batches.ts';
import { type AttendeeLine, RESULTS, type Result } from './words.ts';

/** Everyone that a batch asked for or got, each once. */
export function attendeesOf(batch: Batch): AttendeeLine[] {
  if (batch.withoutRecord !== undefined) return batch.withoutRecord;
  const { presenceOf } = batch;
  const lines = linesOf(batch);
  if (presenceOf === undefined) return lines;
  return lines.map((each) => {
    if (each.attendeeId === undefined) return each;
    const seen = presenceOf(each.attendeeId);
    // No one waits for the others to join.
    return each.result === 'issued' || seen.presence === 'joined' ? { ...each, ...seen } : each;
  });
}

function linesOf(batch: Batch): AttendeeLine[] {
  const { outcome, denial, state } = batch;
  if (denial !== undefined) {
    return (denial.names ?? []).map((externalUserId) =>
      line('denied', { externalUserId, reason: denial.rule }),
    );
  }
  const { issued = [], withheld = [], errors = [] } = outcome ?? {};
  const delivered = outcome?.delivered !== false && state !== 'RECOVERED' && state !== 'UNRESOLVED';
  return [
    ...issued.map((attendee) =>
      line(delivered ? 'issued' : 'exists, token not delivered', {
        ...attendee,
        ...(outcome?.attribution === 'ambiguous' && { reason: 'attribution ambiguous' }),
      }),
    ),
    ...withheld.map(({ rule, ...attendee }) => line('withheld', { ...attendee, reason: rule })),
    ...errors.map(({ externalUserId, errorCode, errorMessage }) =>
      line('refused', { externalUserId, reason: `${errorCode}: ${errorMessage}` }),
    ),
    ...unaccounted(batch).map((attendee) => {
      const [result, reason] = fateOf(attendee.externalUserId, batch);
      return line(result, { ...attendee, ...(reason && { reason }) });
    }),
  ];
}

/** How many attendees a denial was about whose names its record has no room for, or does not have. */
export function namesLeftOut({ denial }: Batch): number {
  return denial === undefined ? 0 : Math.max(0, denial.requestedCount - (denial.names?.length ?? 0));
}

/** What was more than asked for, in words; undefined where nothing was. */
export function excessOf({ above }: Pick<AttendeeLine, 'above'>): string | undefined {
  return above && `above the ${above === 'ceiling' ? 'scope' : 'request'}`;
}

function line(result: Result, facts: Omit<AttendeeLine, 'result' | 'explanation'>): AttendeeLine {
  return { result, explanation: RESULTS[result], ...facts };
}

/** One entry answers for one request, so that a name asked for twice is accounted for twice. */
function unaccounted({ intent, outcome }: Batch) {
  const { issued = [], withheld = [], errors = [] } = outcome ?? {};
  const accounted = [...issued, ...withheld, ...errors].map(({ externalUserId }) => externalUserId);
  return (intent?.requested ?? []).filter(({ externalUserId }) => {
    const index = accounted.indexOf(externalUserId);
    if (index >= 0) accounted.splice(index, 1);
    return index < 0;
  });
}

/** What became of a name that the outcome does not mention, and why. */
function fateOf(externalUserId: string, { state, intent, outcome }: Batch): [Result, string | undefined] {
  const held = (outcome?.heldElsewhere ?? [])
    .filter((attendee) => attendee.externalUserId === externalUserId)
    .map(({ attendeeId, batchId }) => `attendee ${attendeeId} is of batch ${batchId}`)
    .join(', ');
  switch (state) {
    case 'NOT_ISSUED':
    case 'RECOVERED':
      return ['not issued', held || undefined];
    case 'FAILED':
      return outcome?.refusal === undefined
        ? ['unknown', 'Chime’s answer does not mention it']
        : ['refused', `${outcome.refusal.code}: ${outcome.refusal.message}`];
    case 'OPEN':
      return ['unknown', `no outcome yet; deadline ${intent?.deadline ?? 'not recorded'}`];
    case 'UNRESOLVED':
      return ['unknown', held || 'the meeting ended before the reconciler could look'];
    case 'DAMAGED':
      return ['unknown', 'the outcome cannot be read'];
    default:
      return ['unknown', 'Chime’s answer does not mention it'];
  }
}
