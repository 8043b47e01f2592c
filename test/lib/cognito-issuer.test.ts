import { describe, expect, it } from '@jest/globals';
import { issuer, synthesize } from '../support/synthesize.ts';

const template = synthesize();

describe('without issuers', () => {
  it('makes a pool that is closed to sign-up and outlives the stack', () => {
    template.hasResource('AWS::Cognito::UserPool', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { AdminCreateUserConfig: { AllowAdminCreateUserOnly: true }, DeletionProtection: 'ACTIVE' },
    });
    expect(Object.keys(template.findResources('AWS::Cognito::UserPool'))).toEqual(['CallerPool']);
  });

  it('its one client is a backend that may name others', () => {
    const clients = Object.values(template.findResources('AWS::Cognito::UserPoolClient'));
    expect(clients).toHaveLength(1);
    const [resourceServer] = Object.keys(template.findResources('AWS::Cognito::UserPoolResourceServer'));
    expect(clients[0]?.['Properties']).toEqual({
      UserPoolId: { Ref: 'CallerPool' },
      GenerateSecret: true,
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['client_credentials'],
      AllowedOAuthScopes: [{ 'Fn::Join': ['', [{ Ref: resourceServer }, '/attendees.create']] }],
      SupportedIdentityProviders: ['COGNITO'],
    });
  });

  it('it knows both scopes', () => {
    template.hasResourceProperties('AWS::Cognito::UserPoolResourceServer', {
      Identifier: 'usher',
      Scopes: [{ ScopeName: 'attendees.create' }, { ScopeName: 'attendees.create.self' }],
    });
  });

  it("the handler trusts the pool's own access tokens, of that client, for that scope", () => {
    const [functionResource] = Object.values(template.findResources('AWS::Lambda::Function'));
    const [clientId] = Object.keys(template.findResources('AWS::Cognito::UserPoolClient'));
    const issuers = functionResource?.['Properties']['Environment']['Variables']['ISSUERS'];
    const resolved = issuers['Fn::Join'][1]
      .map((part: string | object) => {
        if (typeof part === 'string') return part;
        return 'Ref' in part ? `<${part.Ref}>` : 'pool.example.com/id';
      })
      .join('');
    expect(issuers['Fn::Join'][1]).toContainEqual({ 'Fn::GetAtt': ['CallerPool', 'ProviderName'] });
    expect(JSON.parse(resolved)).toEqual([
      {
        issuer: 'https://pool.example.com/id',
        clientIds: [`<${clientId}>`],
        clientIdClaims: ['client_id'],
        accessTokenMark: { claim: 'token_use', values: ['access'] },
        scopes: { delegate: 'usher/attendees.create' },
      },
    ]);
  });
});

describe('the domain', () => {
  const domain = (config: object): unknown =>
    Object.values(synthesize(config).findResources('AWS::Cognito::UserPoolDomain'))[0]?.['Properties'][
      'Domain'
    ];
  const account = '123456789012';

  it.each([
    ['usher-dev', 'usher-dev-123456789012'],
    ['My-AWS-Usher', 'my--usher-123456789012'],
    ['Amazon', 'usher-123456789012'],
    ['amaawszon', 'usher-123456789012'],
    ['coamaawszongnito-x', 'x-123456789012'],
    [
      `${'y'.repeat(36)}amaawszon${'y'.repeat(20)}`,
      expect.stringMatching(/^y{39}-[0-9a-f]{8}-123456789012$/),
    ],
    ['x'.repeat(48), `${'x'.repeat(48)}-123456789012`],
    [`U${'x'.repeat(100)}`, expect.stringMatching(/^ux{38}-[0-9a-f]{8}-123456789012$/)],
  ])('of the stack %s is accepted by Cognito', (stackName, expected) => {
    expect(domain({ stackName, account })).toEqual(expected);
    expect(domain({ stackName, account })).toMatch(
      /^(?!.*(?:aws|amazon|cognito))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    );
  });

  it('differs for stacks whose long names begin alike', () => {
    const long = `U${'x'.repeat(100)}`;
    expect(domain({ stackName: `${long}-1`, account })).not.toBe(domain({ stackName: `${long}-2`, account }));
  });

  it('names the account even if it is known at deployment only', () => {
    expect(domain({})).toEqual({ 'Fn::Join': ['', ['usher-test-', { Ref: 'AWS::AccountId' }]] });
  });

  it('can be chosen', () => {
    expect(domain({ cognito: { domainPrefix: 'doors' } })).toBe('doors');
  });
});

describe('with issuers', () => {
  it('there is no pool', () => {
    const own = synthesize({ issuers: [issuer] });
    own.resourceCountIs('AWS::Cognito::UserPool', 0);
    own.resourceCountIs('AWS::Cognito::UserPoolClient', 0);
    own.resourceCountIs('AWS::Cognito::UserPoolDomain', 0);
  });
});
