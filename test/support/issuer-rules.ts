import {
  type CompactIssuerRules,
  completeIssuerRules,
  type IssuerRules,
} from '../../lambda/model/issuer-rules.ts';
import type { IssuerEntry } from '../../lib/settings/props.ts';

const BACKEND = {
  issuer: 'https://login.example.com',
  audience: ['https://meetings.example.com'],
  accessTokenMark: { typ: 'at+jwt' },
  scopes: { delegate: 'attendees.create' },
} satisfies IssuerEntry;

/** An issuer as a configuration has it: a backend's, with nothing but what is required. */
export function createIssuerEntry<Overrides extends Partial<IssuerEntry> = object>(
  overrides = {} as Overrides,
): Omit<typeof BACKEND, keyof Overrides> & Overrides {
  return { ...structuredClone(BACKEND), ...overrides };
}

/** The rules that the functions get of such an issuer. */
export function createIssuerRules(overrides: Partial<CompactIssuerRules> = {}): IssuerRules {
  return completeIssuerRules({ ...structuredClone(BACKEND), ...overrides });
}
