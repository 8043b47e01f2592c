import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { AdmissionRecord, IntentRecord, OutcomeRecord } from '../lambda/audit/records.ts';
import { namesOf } from './setting.ts';
import { fingerprintOf, type Taken } from './stand-in.ts';

interface Answered {
  Attendees: { ExternalUserId: string; AttendeeId: string; JoinToken: string }[];
  Errors: unknown[];
}

/** @throws where an answer is not what was asked for */
export function checkAnswers(answers: { statusCode: number; body: string }[], attendees: number): void {
  const names = namesOf(attendees).join();
  for (const { statusCode, body } of answers) {
    const { Attendees, Errors } = JSON.parse(body) as Answered;
    const right =
      statusCode === 200 &&
      Errors.length === 0 &&
      Attendees.map(({ ExternalUserId }) => ExternalUserId).join() === names &&
      Attendees.every(({ AttendeeId, JoinToken }) => AttendeeId !== '' && JoinToken !== '');
    if (!right) throw new Error(`A wrong answer: ${statusCode} ${body.slice(0, 200)}`);
  }
}

/**
 * Compares the audit with what was created and what was answered: every batch has its intent and its outcome, every
 * attendee is in one outcome, with the fingerprint of the token that was answered, and in one admission.
 *
 * @throws where one of them says something else
 */
export function checkAudit({ records, admissions, fingerprints }: Taken, answers: { body: string }[]): void {
  const expect = (actual: number, expected: number, what: string) => {
    if (actual !== expected) throw new Error(`${what}: ${actual}, and should be ${expected}`);
  };
  const all = records.map((item) => unmarshall(item as never) as IntentRecord | OutcomeRecord);
  const outcomes = all.filter((record): record is OutcomeRecord => record.kind === 'outcome');
  const intents = all.filter(({ kind }) => kind === 'intent');
  expect(intents.length, answers.length, 'Intents');
  expect(outcomes.length, answers.length, 'Outcomes');
  const complete = outcomes.filter(({ state, admissions }) => state === 'ISSUED' && admissions === 'written');
  expect(complete.length, outcomes.length, 'Outcomes that are ISSUED and complete');

  const issued = new Map(
    outcomes.flatMap(({ issued }) => issued.map((a) => [a.attendeeId, a.tokenFingerprint] as const)),
  );
  expect(issued.size, fingerprints.size, 'Attendees on record');
  for (const [attendeeId, fingerprint] of fingerprints) {
    if (issued.get(attendeeId) !== fingerprint) throw new Error(`${attendeeId} is not on record as it is`);
  }
  const admitted = new Set(
    admissions.map((item) => (unmarshall(item as never) as AdmissionRecord).attendeeId),
  );
  const notAdmitted = [...issued.keys()].filter((attendeeId) => !admitted.has(attendeeId));
  expect(notAdmitted.length, 0, 'Attendees without an admission');
  expect(admissions.length, issued.size, 'Admissions written');

  for (const { body } of answers) {
    for (const { AttendeeId, JoinToken } of (JSON.parse(body) as Answered).Attendees) {
      if (issued.get(AttendeeId) !== fingerprintOf(JoinToken))
        throw new Error(`${AttendeeId} left unrecorded`);
    }
  }
}
