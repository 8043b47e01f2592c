import { RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { OAuthScope, ResourceServerScope, UserPool, type UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import type { IssuerRules } from '../lambda/issuer-rules.ts';

export interface CallerPoolProps {
  /** The host name's first part under amazoncognito.com, unique in its Region; derived from stack and account if left out. */
  domainPrefix: string | undefined;
}

/**
 * A Cognito user pool for a deployment that names no issuer: one client, the account owner's own backend, which gets
 * its tokens by the client-credentials grant (RFC 6749 section 4.4) and may name any attendee. The pool has no users,
 * and nobody can sign up.
 */
export class CallerPool extends Construct {
  readonly pool: UserPool;
  readonly client: UserPoolClient;
  /** Where the client's credentials are exchanged for a token. */
  readonly tokenEndpoint: string;
  readonly rules: IssuerRules;

  constructor(scope: Construct, id: string, props: CallerPoolProps) {
    super(scope, id);

    // Kept when the stack goes: the audit names callers by this pool and its client.
    this.pool = new UserPool(this, 'Pool', {
      selfSignUpEnabled: false,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const domain = this.pool.addDomain('Domain', {
      cognitoDomain: { domainPrefix: props.domainPrefix ?? defaultDomainPrefix(Stack.of(this)) },
    });
    const delegate = new ResourceServerScope({
      scopeName: 'attendees.create',
      scopeDescription: 'Let any user into a meeting',
    });
    const self = new ResourceServerScope({
      scopeName: 'attendees.create.self',
      scopeDescription: 'Enter a meeting oneself',
    });
    const resourceServer = this.pool.addResourceServer('ResourceServer', {
      identifier: 'usher',
      scopes: [delegate, self],
    });
    this.client = this.pool.addClient('Backend', {
      generateSecret: true,
      oAuth: {
        flows: { clientCredentials: true },
        scopes: [OAuthScope.resourceServer(resourceServer, delegate)],
      },
    });

    this.tokenEndpoint = `${domain.baseUrl()}/oauth2/token`;
    this.rules = {
      issuer: this.pool.userPoolProviderUrl,
      jwksUri: `${this.pool.userPoolProviderUrl}/.well-known/jwks.json`,
      // Cognito's access tokens have no audience: the client id is what tells them apart.
      audience: [],
      clientIds: [this.client.userPoolClientId],
      algorithms: ['RS256'],
      accessToken: 'cognito',
      scopes: { delegate: 'usher/attendees.create' },
      externalUserIdClaim: 'sub',
      externalUserIdPrefix: '',
      meetingsClaimRequired: true,
      allowAnyMeeting: false,
      ceilings: {},
    };
  }
}

/**
 * A prefix of at most 63 characters, without the words that Cognito refuses, and with the account to make it unique:
 * stacks of all accounts share the names of a Region.
 */
function defaultDomainPrefix(stack: Stack): string {
  const name = stack.stackName
    .toLowerCase()
    .replace(/aws|amazon|cognito/g, '')
    .replace(/^-+/, '')
    .slice(0, 48)
    .replace(/-+$/, '');
  return `${name || 'usher'}-${Token.asString(stack.account)}`;
}
