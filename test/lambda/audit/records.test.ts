import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { callerId, callerNamed } from '../../../lambda/audit/records.ts';

describe('a caller id', () => {
  it('is issuer, client and subject, readable', () => {
    expect(callerId({ issuer: 'https://idp.example.com', clientId: 'web', subject: 'alice' })).toBe(
      'https://idp.example.com|web|alice',
    );
  });

  it('parses into its parts, and any other text into undefined', () => {
    const caller = { issuer: 'https://a.example.com', clientId: 'a|b %', subject: 'x|y\n%7C' };
    expect(callerNamed(callerId(caller))).toEqual(caller);
    expect(callerNamed(callerId({ ...caller, clientId: '' }))).toEqual({ ...caller, clientId: '' });
    for (const id of [
      '',
      'alice',
      'https://i|c',
      'https://i|c|',
      '|c|s',
      'https://i|a b|s',
      'https://i|%|s',
    ]) {
      expect([id, callerNamed(id)]).toEqual([id, undefined]);
    }
  });

  it('differs for different callers, whatever their parts hold', () => {
    const part = fc.string({ unit: fc.constantFrom('|', '%', '7', 'C', 'a') });
    const caller = fc.record({
      issuer: fc.constantFrom('https://a.example.com', 'https://b.example.com'),
      clientId: part,
      subject: part,
    });
    fc.assert(
      fc.property(caller, caller, (a, b) => {
        const same = a.issuer === b.issuer && a.clientId === b.clientId && a.subject === b.subject;
        expect(callerId(a) === callerId(b)).toBe(same);
      }),
    );
  });
});
