import type * as client from '../../examples/browser-client/client.ts';
import type { components } from '../../examples/browser-client/usher-api.d.ts';

// Compiles only while the client's types are the contract's. What the contract leaves optional, as Chime's model does, the
// client checks and has as always there.

type Contract = components['schemas'];
type Whole<T> = T extends (infer Item)[]
  ? Whole<Item>[]
  : T extends object
    ? { [Name in keyof T]-?: Whole<NonNullable<T[Name]>> }
    : T;
type Same<A, B> =
  (<T>() => T extends Whole<A> ? 1 : 2) extends <T>() => T extends Whole<B> ? 1 : 2 ? true : false;

export const TYPES_AGREE: [
  Same<client.AttendeeRequest, Contract['AttendeeRequest']>,
  Same<client.BatchCreateAttendeeResponse, Contract['BatchCreateAttendeeResponse']>,
  Same<client.Meeting, Contract['Meeting']>,
] = [true, true, true];
