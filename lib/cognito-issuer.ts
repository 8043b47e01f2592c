import { createHash } from 'node:crypto';
import { RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import {
  type IUserPool,
  OAuthScope,
  ResourceServerScope,
  UserPool,
  UserPoolClient,
  UserPoolResourceServer,
} from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { completeIssuerRules, type IssuerRules } from '../lambda/model/issuer-rules.ts';
import { acceptFindings } from './accepted-findings.ts';
import { PROVIDERS } from './settings/providers.ts';

export interface CognitoIssuerProps {
  /** Unique in its account and Region. */
  name: string;
  /** An existing pool: it gets the resource server and the client, and keeps everything else. */
  userPool?: IUserPool | undefined;
  /**
   * The first part of the host name under amazoncognito.com, unique in its Region; derived from name and account by
   * default.
   */
  domainPrefix?: string | undefined;
  /** The resource server's identifier, unique in its pool. */
  resourceServer: string;
}

/**
 * The Cognito resources of a deployment without issuers: one client, the account owner's own backend, which gets its
 * tokens by the client-credentials grant (RFC 6749 section 4.4) and may name any attendee. A created pool has no users,
 * and sign-up is closed.
 */
export class CognitoIssuer extends Construct {
  readonly pool: IUserPool;
  readonly client: UserPoolClient;
  /** The URL that issues tokens for the client's credentials; undefined for an existing pool, which has its own domain. */
  readonly tokenEndpoint: string | undefined;
  readonly rules: IssuerRules;

  constructor(scope: Construct, id: string, props: CognitoIssuerProps) {
    super(scope, id);
    this.pool = props.userPool ?? makePool(this);
    if (props.userPool === undefined) {
      const domain = this.pool.addDomain('Domain', {
        cognitoDomain: {
          domainPrefix: props.domainPrefix ?? defaultDomainPrefix(props.name, Stack.of(this)),
        },
      });
      // GovCloud has only the FIPS endpoints.
      const fips = Stack.of(this).region.startsWith('us-gov-');
      this.tokenEndpoint = `${domain.baseUrl({ fips })}/oauth2/token`;
    }

    const delegate = new ResourceServerScope({
      scopeName: 'attendees.create',
      scopeDescription: 'Admit any user to a meeting',
    });
    const self = new ResourceServerScope({
      scopeName: 'attendees.create.self',
      scopeDescription: 'Join a meeting as oneself',
    });
    // An existing pool may belong to another stack or facade too: these resources belong here.
    const owner = props.userPool === undefined ? this.pool : this;
    const resourceServer = new UserPoolResourceServer(owner, 'ResourceServer', {
      userPool: this.pool,
      identifier: props.resourceServer,
      scopes: [delegate, self],
    });
    this.client = new UserPoolClient(owner, 'Backend', {
      userPool: this.pool,
      generateSecret: true,
      oAuth: {
        flows: { clientCredentials: true },
        scopes: [OAuthScope.resourceServer(resourceServer, delegate)],
      },
    });

    const issuer = `https://${this.pool.userPoolProviderName}`;
    const { accessTokenMark, clientIdClaims } = PROVIDERS.cognito;
    this.rules = completeIssuerRules({
      issuer,
      // Cognito's access tokens have no audience: the client id identifies the API's callers.
      clientIds: [this.client.userPoolClientId],
      clientIdClaims,
      accessTokenMark,
      scopes: { delegate: `${props.resourceServer}/attendees.create` },
    });
  }
}

/** Retained when the stack is deleted: the audit names callers by this pool and its client. */
function makePool(scope: Construct): UserPool {
  const pool = new UserPool(scope, 'Pool', {
    selfSignUpEnabled: false,
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const reason = 'The pool has no users and sign-up is closed: its one client is a machine with a secret.';
  acceptFindings(
    pool,
    { id: 'AwsSolutions-COG1', reason: `No password is ever chosen. ${reason}` },
    { id: 'AwsSolutions-COG2', reason: `No one signs in who could have a second factor. ${reason}` },
    { id: 'AwsSolutions-COG8', reason: `The Plus plan is for people's sign-ins. ${reason}` },
  );
  return pool;
}

/**
 * A prefix of at most 63 characters, without the words that Cognito refuses, and with the account to make it unique:
 * stacks of all accounts share the names of a Region.
 */
function defaultDomainPrefix(facadeName: string, { account }: Stack): string {
  const name = withoutReservedWords(facadeName.toLowerCase().replace(/[^a-z0-9-]/g, '-')).replace(
    /^-+|-+$/g,
    '',
  );
  // The removed end is what distinguishes two facades of one stack.
  const digest = createHash('sha256').update(facadeName).digest('hex').slice(0, 8);
  const short = name.length > 48 ? `${name.slice(0, 39).replace(/-+$/, '')}-${digest}` : name;
  return `${short || 'usher'}-${Token.asString(account)}`;
}

/** Removing a word can form another one: "amaawszon" without "aws". */
function withoutReservedWords(text: string): string {
  const rest = text.replace(/aws|amazon|cognito/g, '');
  return rest === text ? text : withoutReservedWords(rest);
}
