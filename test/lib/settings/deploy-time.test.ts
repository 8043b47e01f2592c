import { describe, expect, it } from '@jest/globals';
import { CfnParameter, Fn, Lazy, type Stack, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { AttendeeFacadeProps } from '../../../lib/facade-props.ts';
import { withPlaceholders } from '../../../lib/settings/deploy-time.ts';
import { problemOf } from '../../support/configuration-error.ts';
import { addFacade, createForeignStack, flat, issuer, theResource } from '../../support/synthesize.ts';

/** A host name that is only known at deployment. */
const host = Fn.getAtt('Site', 'DomainName').toString();
const number = Token.asNumber({ Ref: 'Number' });
const list = Token.asList({ Ref: 'List' });

const problemWith = (props: AttendeeFacadeProps, stack = createForeignStack()) =>
  problemOf(() => addFacade(stack, props));

describe('what is written around what is only known at deployment', () => {
  it('is what is left to check', () => {
    expect(withPlaceholders('https://app.example.com')).toBe('https://app.example.com');
    expect(withPlaceholders(`https://${host}:8443`)).toBe('https://token:8443');
    expect(withPlaceholders(`https://${host}.${host}`)).toBe('https://token.token');
    expect(withPlaceholders(`${host}/path`)).toBeUndefined();
  });
});

describe('an origin of the same app', () => {
  const variables = (allowedOrigins: string[], stack: Stack = createForeignStack()) => {
    addFacade(stack, { allowedOrigins });
    const { Properties } = theResource(Template.fromStack(stack), 'AWS::Lambda::Function', 'FacadeAttendees');
    return (Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;
  };

  it('reaches the function as JSON', () => {
    const origins = [
      'https://app.example.com',
      `https://${host}`,
      Lazy.string({ produce: () => 'https://b.example.com' }),
    ];
    expect(flat(variables(origins)['ALLOWED_ORIGINS'])).toBe(
      '["https://app.example.com","https://<Site.DomainName>","https://b.example.com"]',
    );
  });

  it.each<[string, string]>([
    [`http://${host}`, 'is not https, '],
    [`https://${host}/`, 'is not what a browser sends as its origin, '],
    [`https://${host}:*`, 'allows any port, '],
    [`https://*.${host}`, 'has a wildcard, '],
  ])('is rejected as %s', (origin, message) => {
    expect(problemWith({ allowedOrigins: [origin] })).toContain(
      `Theirs/Facade: allowedOrigins[0]: "${origin}" ${message}`,
    );
  });
});

describe("an issuer's address of the same app", () => {
  it.each([
    `https://${host}`,
    `https://login.example.com/${host}`,
    `https://login.example.com:${host}/`,
    host,
  ])('may be %s', (address) => {
    expect(problemWith({ issuers: [{ ...issuer, issuer: address }] })).toBeUndefined();
  });

  it.each<[object, string]>([
    [{ issuer: `http://${host}` }, 'issuer: "http://${Token[TOKEN'],
    [{ issuer: `https://user@${host}` }, 'issuer: "https://user@${Token[TOKEN'],
    [{ issuer: `https://${host}?a` }, 'issuer: "https://${Token[TOKEN'],
    [{ jwksUri: `http://${host}/keys` }, 'jwksUri: "http://${Token[TOKEN'],
  ])('is rejected like the same literal text: %j', (changed, message) => {
    expect(problemWith({ issuers: [{ ...issuer, ...changed }] })).toContain(
      `Theirs/Facade: issuers[0].${message}`,
    );
  });
});

describe('what has to be known at synthesis', () => {
  it.each<[string, AttendeeFacadeProps]>([
    ['limits.reservedConcurrency', { limits: { reservedConcurrency: number } }],
    ['audit.retentionDays', { audit: { retentionDays: number } }],
    ['stageName', { stageName: host }],
    ['cognito.domainPrefix', { cognito: { domainPrefix: `usher-${host}` } }],
    ['issuers[0].tenants[0]', { issuers: [{ ...issuer, tenants: [host] }] }],
    ['issuers[0].tenants[0]', { issuers: [{ ...issuer, tenants: list }] }],
    ['allowedOrigins[0]', { allowedOrigins: list }],
  ])('is rejected with a message: %s', (path, props) => {
    expect(problemWith(props)).toBe(
      `Theirs/Facade: ${path}: is only known at deployment, so it cannot be checked now; use a value that is known at synthesis`,
    );
  });

  it('is rejected of a parameter too', () => {
    const stack = createForeignStack();
    const { valueAsNumber } = new CfnParameter(stack, 'Concurrency', { type: 'Number' });
    expect(problemWith({ limits: { reservedConcurrency: valueAsNumber } }, stack)).toMatch(
      /^Theirs\/Facade: limits\.reservedConcurrency: is only known at deployment, /,
    );
  });
});
