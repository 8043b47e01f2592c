import type { FacadeError } from '../model/errors.ts';
import type { AccessTokenMark } from '../model/issuer-rules.ts';
import { refuse } from './token-refusals.ts';

/** The part of a token's mark in its header. */
export function assertHeaderMark(typ: unknown, mark: AccessTokenMark): void {
  if (mark.typ === undefined) return;
  if (typeof typ !== 'string' || mediaType(typ) !== mediaType(mark.typ)) {
    throw notAnAccessToken(`its header typ must be ${mark.typ}`);
  }
}

/** The part of a token's mark in its claims. */
export function assertClaimMark(value: unknown, { claim, values }: AccessTokenMark): void {
  if (claim === undefined) return;
  const isMarked =
    values === undefined
      ? isPresent(value)
      : [value].flat().some((one) => isScalar(one) && values.includes(String(one)));
  if (!isMarked) throw notAnAccessToken(`its claim ${claim} does not say so`);
}

/** RFC 7515 section 4.1.9: `application/` may be left out. Media types are case-insensitive. */
function mediaType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}

function isPresent(value: unknown): boolean {
  const isEmpty = value === undefined || value === null || value === false || value === '';
  return !isEmpty && !(Array.isArray(value) && value.length === 0);
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function notAnAccessToken(why: string): FacadeError {
  return refuse('token-kind', `The bearer token is not an access token: ${why}.`);
}
