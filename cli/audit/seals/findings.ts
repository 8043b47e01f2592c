/** What `--verify` names, each with its sentence. */
export const FINDINGS = {
  changed: 'The record is not as it was sealed.',
  removed: 'A seal has the record, the table does not, and it has not expired.',
  added: 'No seal has the record, though those that could are written; or it is dated in the future.',
  late: 'The seal of its hour does not have the record, and did not list its batch as open.',
  dropped: 'A seal lists the batch as open; the next one has neither its outcome nor lists it.',
  'seal missing': 'The hour has no seal: what happened in it is not proved.',
  'seal unreadable': 'The object is no seal of its hour.',
  'seal replaced':
    'The key has more than one version, or was deleted. The oldest that is a seal is verified.',
  'chain broken': 'The seal does not name the one before it as it is.',
  'other date': 'The seal says that it was made at another time than its object.',
  'sealed early': 'The seal was made before its hour was due.',
  'sealed late': 'The seal was made long after its hour was due: until then nothing proves its records.',
} as const;

export type FindingKind = keyof typeof FINDINGS;

/** One thing that is not as it should be. */
export interface Finding {
  finding: FindingKind;
  /** Of the record's batch, or of the seal, in UTC: `2026-11-23T13Z`. Empty where a key says none. */
  hour: string;
  meetingId?: string;
  recordId?: string;
  /** What shows it. */
  detail: string;
}
