// Made by `npm run generate` from schema.ts: change that, not this.

import type { Capabilities } from '../../lambda/model/attendees.ts';
import type { IssuerRules, SignatureAlgorithm } from '../../lambda/model/issuer-rules.ts';
import type { TimeSpan } from './time-span.ts';

/** How a token shows that it is an access token (RFC 8725 section 3.12). Required without `provider`. */
export interface AccessTokenMarkSettings {
  /**
   * The header's `typ`, such as `at+jwt` (RFC 9068).
   *
   * @default not checked
   */
  readonly typ?: string;
  /**
   * A claim that only access tokens have, or have with one of `values`.
   *
   * @default not checked
   */
  readonly claim?: string;
  /**
   * The values of that claim; a number is written as text.
   *
   * @default any value: the claim only has to be present
   */
  readonly values?: readonly string[];
  /**
   * States that no ID token of the issuer can have the `audience`, so the audience alone marks access tokens.
   *
   * @default not checked
   */
  readonly audience?: boolean;
}

/** An issuer's scopes and what each allows; one at least. */
export interface IssuerScopes {
  /**
   * A caller with this scope may name any ExternalUserId under `externalUserIdPrefix`.
   *
   * @default no caller may
   */
  readonly delegate?: string;
  /**
   * A caller with this scope may name itself, once. Several scopes can have different ceilings, for guests and viewers
   * for example; if a token has more than one, the first that is listed here counts.
   *
   * @default no caller may
   */
  readonly self?: string | readonly string[];
}

/** One issuer, and what its tokens may do. */
export interface IssuerEntry {
  /** The exact `iss` claim. */
  readonly issuer: string;
  /**
   * The identity provider, which sets the defaults of this entry (docs/identity-providers.md).
   *
   * @default no further defaults
   */
  readonly provider?: 'adfs' | 'auth0' | 'aws' | 'clerk' | 'cognito' | 'duende' | 'entra' | 'entra-b2c' | 'entra-v1' | 'firebase' | 'forgerock' | 'fusionauth' | 'github-actions' | 'google' | 'keycloak' | 'okta' | 'pingone' | 'spring' | 'supabase' | 'zitadel';
  /**
   * The https address of the keys of the issuer (RFC 7517).
   *
   * @default `issuer` and `/.well-known/jwks.json`
   */
  readonly jwksUri?: string;
  /**
   * The same for an issuer with several key sets under one name.
   *
   * @default `jwksUri` alone
   */
  readonly jwksUris?: readonly string[];
  /**
   * A token's `aud` must name one of these. Required, unless there are `clientIds`.
   *
   * @default none
   */
  readonly audience?: readonly string[];
  /**
   * A token's client must be one of these.
   *
   * @default any client of the issuer
   */
  readonly clientIds?: readonly string[];
  /**
   * The claim that holds the client.
   *
   * @default the first of `client_id`, `azp`, `appid`, `cid` that a token has
   */
  readonly clientIdClaim?: string;
  /**
   * The same for several claims; the first that a token has counts.
   *
   * @default `clientIdClaim` alone
   */
  readonly clientIdClaims?: readonly string[];
  /**
   * The claims that hold the subject, by which the audit identifies a caller; the first that a token has counts.
   *
   * @default `sub`
   */
  readonly subjectClaims?: readonly string[];
  /**
   * The signature algorithms that are accepted (RFC 7518 section 3.1, RFC 8037).
   *
   * @default `RS256`
   */
  readonly algorithms?: readonly SignatureAlgorithm[];
  /**
   * How a token shows that it is an access token (RFC 8725 section 3.12). Required without `provider`.
   *
   * @default the provider's
   */
  readonly accessTokenMark?: AccessTokenMarkSettings;
  /**
   * The claim that lists a token's scopes, or a path to it: a string with spaces between, a list, or an object whose
   * keys they are. A claim that is true is the scope `true`.
   *
   * @default `scope` (RFC 8693 section 4.2)
   */
  readonly scopeClaim?: string;
  /**
   * The same for several claims, whose scopes are taken together.
   *
   * @default `scopeClaim` alone
   */
  readonly scopeClaims?: readonly string[];
  /** An issuer's scopes and what each allows; one at least. */
  readonly scopes: IssuerScopes;
  /**
   * The claim that holds the caller's own ExternalUserId.
   *
   * @default sub
   */
  readonly externalUserIdClaim?: string;
  /**
   * The prefix that Usher puts before that claim, and that every name of a delegate must start with. Required if there
   * are several issuers.
   *
   * @default empty
   */
  readonly externalUserIdPrefix?: string;
  /**
   * Whether a self caller gets its own existing attendee if a host gave that attendee more than the ceiling of the
   * caller.
   *
   * @default `release` where `externalUserIdClaim` is `sub` or `oid`, which no user can change; else `withhold`
   */
  readonly existing?: 'release' | 'withhold';
  /**
   * The claim that names the caller's tenants: a string or a list. One must be among the meeting's own `TenantIds`.
   *
   * @default tenants are not checked
   */
  readonly tenantClaim?: string;
  /**
   * The tenants that this issuer may speak for. Required if there are several issuers.
   *
   * @default any
   */
  readonly tenants?: readonly string[];
  /**
   * The claim that lists the meeting ids that a token is good for: a list or one string.
   *
   * @default any meeting
   */
  readonly meetingsClaim?: string;
  /**
   * Whether a token without that claim is refused.
   *
   * @default true
   */
  readonly meetingsClaimRequired?: boolean;
  /**
   * Lets self callers of this issuer join any meeting of the account.
   *
   * @default false
   */
  readonly allowAnyMeeting?: boolean;
  /**
   * The most that a scope may ask for, by scope.
   *
   * @default none
   */
  readonly ceilings?: { readonly [name: string]: Capabilities };
  /**
   * The clock skew that is allowed for `exp`, `nbf` and `iat`, in seconds. 0 to 300.
   *
   * @default 30
   */
  readonly clockSkewSeconds?: TimeSpan;
}

/** The Cognito user pool that is created if there are no `issuers`. */
export interface CognitoSettings {
  /**
   * The first part of the pool's host name under amazoncognito.com, unique in its Region.
   *
   * @default derived from the account and the names of stack and construct
   */
  readonly domainPrefix?: string;
  /**
   * The resource server's identifier: scopes begin with it. Unique in its pool.
   *
   * @default usher
   */
  readonly resourceServer?: string;
}

/** Throttles, sizes and concurrency. */
export interface LimitSettings {
  /**
   * The gateway's throttle for each method, in requests per second. Keep it far above Chime's quota: anonymous requests
   * count too, and must not lock others out. 1 to 10,000.
   *
   * @default 100
   */
  readonly requestsPerSecond?: number;
  /**
   * The burst of the gateway's throttle. 1 to 5,000.
   *
   * @default 200
   */
  readonly burst?: number;
  /**
   * The gateway's throttle for browsers' preflights (OPTIONS), separate so that preflights and requests cannot use up
   * each other's rate. 1 to 10,000.
   *
   * @default as `requestsPerSecond`
   */
  readonly preflightsPerSecond?: number;
  /**
   * The burst of that throttle. 1 to 5,000.
   *
   * @default as `burst`
   */
  readonly preflightBurst?: number;
  /**
   * The function's memory in MiB, which also sets its share of CPU. 128 to 10,240.
   *
   * @default 1024
   */
  readonly memoryMb?: number;
  /**
   * The function's time-out in seconds. The gateway waits one second longer. 5 to 28.
   *
   * @default 20
   */
  readonly timeoutSeconds?: TimeSpan;
  /**
   * The reserved concurrency: the most requests at once. It also bounds how much of Chime's quota all of them can spend
   * (docs/authorization.md). It is taken from the account's concurrency. A request beyond it gets a 500 from the
   * gateway, not a 429, and raises the alarm FunctionThrottled: reserve more than requests per second times seconds per
   * request. 1 to 100,000.
   *
   * @default no limit but the account's
   */
  readonly reservedConcurrency?: number;
  /**
   * The provisioned concurrency: environments that Lambda keeps initialized, so that no request waits for one. Billed
   * by the hour. 1 to 100,000.
   *
   * @default none
   */
  readonly provisionedConcurrency?: number;
  /**
   * The most write request units that each table and index takes in a second, which limits the cost of a mistake. A
   * batch of 100 attendees takes some 260 in all, 100 of them in one table at once. 100 to 1,000,000.
   *
   * @default 4000
   */
  readonly tableWriteUnitsPerSecond?: number;
  /**
   * The most read request units that each table and index takes in a second. 1 to 1,000,000.
   *
   * @default 4000
   */
  readonly tableReadUnitsPerSecond?: number;
}

/** AWS WAF in front of the API: a per-IP rate limit and AWS's managed rules. */
export interface FirewallSettings {
  /**
   * Whether there is a firewall.
   *
   * @default the value of `production`
   */
  readonly enabled?: boolean;
  /**
   * The per-IP rate limit: requests in five minutes, preflights included; more are answered with 403. Everyone behind
   * one company's address shares it. 10 to 2,000,000,000.
   *
   * @default 3000
   */
  readonly requestsPerFiveMinutes?: number;
}

/** The logs. */
export interface LogSettings {
  /**
   * The log retention in days, one of the values that CloudWatch Logs allows; 9999 (`RetentionDays.INFINITE` of CDK) is
   * for ever.
   *
   * @default 30
   */
  readonly retentionDays?: TimeSpan;
  /**
   * The log level. INFO is the highest: metrics are log lines, and Lambda drops lines below the level.
   *
   * @default INFO
   */
  readonly level?: 'DEBUG' | 'INFO';
  /**
   * Writes an access log: one JSON line for each request, without personal data. API Gateway needs a log role for the
   * account and Region: without one, the deployment fails.
   *
   * @default false
   */
  readonly access?: boolean;
  /**
   * Creates that role, for the whole account and Region: set it in one stack only.
   *
   * @default false
   */
  readonly accountRole?: boolean;
}

/** The alarms. */
export interface AlarmSettings {
  /**
   * The URL of the runbook: alarms link to its sections.
   *
   * @default docs/runbook.md
   */
  readonly runbookUrl?: string;
  /**
   * How many answers with a status of 500 and above in a minute raise the alarm, in two minutes of three. Requests for
   * which the function has no free concurrency are not counted: the same number of them raises a separate alarm. A
   * client that retries turns one failure into three. During a canary, the alarm rolls back to the old version. 1 to
   * 1,000,000.
   *
   * @default 3
   */
  readonly serverErrorsPerMinute?: number;
  /**
   * How many denials in five minutes raise the alarm. 1 to 1,000,000.
   *
   * @default 100
   */
  readonly denialsPerFiveMinutes?: number;
  /**
   * How many existing attendees, released with more than their ceiling in five minutes, raise the alarm. 1 to
   * 1,000,000.
   *
   * @default 50
   */
  readonly aboveCeilingPerFiveMinutes?: number;
  /**
   * The attendees in the events of a quarter hour whom no record of Usher explains that raise an alarm. Not for
   * deployments whose hosts admit people with AWS credentials. 1 to 1,000,000.
   *
   * @default no alarm
   */
  readonly attendeesWithoutRecord?: number;
  /**
   * The latency at the 99th percentile that raises the alarm, in milliseconds. 100 to 29,000.
   *
   * @default 5000
   */
  readonly latencyMs?: TimeSpan;
}

/** The audit records. */
export interface AuditSettings {
  /**
   * How long audit records are kept, in days. `RetentionDays.INFINITE` of CDK, 9999, is for ever too. 7 to 36,500.
   *
   * @default for ever
   */
  readonly retentionDays?: TimeSpan;
}

/**
 * The seals: every hour, one object in S3 that says which audit records there are
 * (docs/decisions/0030-seals-are-a-chain-of-locked-objects.md).
 */
export interface SealSettings {
  /**
   * Whether the audit is sealed.
   *
   * @default as `production`, but not where `removalPolicy` is `destroy`
   */
  readonly enabled?: boolean;
  /**
   * The mode of S3 Object Lock for the bucket that is created. In `governance` mode, who has
   * `s3:BypassGovernanceRetention` may delete seals; in `compliance` mode no one may, not even the account's root user,
   * before the lock ends. `none` is for previews. A bucket keeps its lock: it cannot be taken off later.
   *
   * @default `governance`
   */
  readonly lock?: 'governance' | 'compliance' | 'none';
  /**
   * How long a seal is locked, in days: `audit.retentionDays` at least. Where records have a retention, seals expire
   * after it. 1 to 36,500.
   *
   * @default `audit.retentionDays` and 30 more; 3650 where records are kept for ever
   */
  readonly lockDays?: TimeSpan;
}

/**
 * How long the reconciler waits (docs/audit-protocol.md). Both times together are at most 165 seconds: a meeting that
 * no one joined ends after 5 minutes.
 */
export interface ReconcilerSettings {
  /**
   * The time after an intent's deadline in which its handler and Chime finish, in seconds. 1 to 240.
   *
   * @default 45
   */
  readonly marginSeconds?: TimeSpan;
  /**
   * The time between two looks at one meeting, in seconds. 1 to 240.
   *
   * @default 60
   */
  readonly secondLookSeconds?: TimeSpan;
}

/** Chime's own events of who was added to a meeting and who joined it, by any door (docs/audit-protocol.md). */
export interface EventSettings {
  /**
   * Whether they are recorded. Chime sends them in the Region of `meetingsRegion`, so that is where the stack has to
   * be.
   *
   * @default yes, where `meetingsRegion` is known to be the Region of the stack
   */
  readonly enabled?: boolean;
}

/** How a new version goes live. */
export interface DeploymentSettings {
  /**
   * Sends a tenth of the requests to a new version for this many minutes (CodeDeploy), and rolls back if an error alarm
   * fires meanwhile.
   *
   * @default all requests at once
   */
  readonly canaryMinutes?: 5 | 10 | 15 | 30;
}

/** The settings of a facade that name no other construct: the same keys in a configuration file and in code. */
export interface FacadeSettings {
  /**
   * Whether this deployment is for production. There, the firewall and the seals are on by default: they cost money,
   * and a trial does not need them.
   *
   * @default true
   */
  readonly production?: boolean;
  /**
   * The Chime SDK control Region of the meetings: a meeting is only known in the Region that created it.
   *
   * @default the Region of the stack
   */
  readonly meetingsRegion?: string;
  /**
   * The web origins whose pages may call the API, exactly as browsers send them; `http://localhost:*` for any port of
   * the local machine; `capacitor://localhost`, `ionic://localhost` or `chrome-extension://ID` for apps and extensions.
   * A host name may be one that is only known at deployment, such as that of a distribution of the same app.
   *
   * @default none
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * The request headers that pages may send in addition to those of AWS SDKs and of common tracing tools, which are
   * always allowed (docs/wire-contract.md).
   *
   * @default none
   */
  readonly allowedHeaders?: readonly string[];
  /**
   * The first part of the path, if there is no custom domain.
   *
   * @default v1
   */
  readonly stageName?: string;
  /**
   * Who issues tokens, and what their tokens may do (docs/administrators.md).
   *
   * @default a Cognito user pool with one machine client
   */
  readonly issuers?: readonly IssuerEntry[];
  /** The Cognito user pool that is created if there are no `issuers`. */
  readonly cognito?: CognitoSettings;
  /** Throttles, sizes and concurrency. */
  readonly limits?: LimitSettings;
  /** AWS WAF in front of the API: a per-IP rate limit and AWS's managed rules. */
  readonly firewall?: FirewallSettings;
  /** The logs. */
  readonly logs?: LogSettings;
  /** The alarms. */
  readonly alarms?: AlarmSettings;
  /** The audit records. */
  readonly audit?: AuditSettings;
  /**
   * The seals: every hour, one object in S3 that says which audit records there are
   * (docs/decisions/0030-seals-are-a-chain-of-locked-objects.md).
   */
  readonly seals?: SealSettings;
  /**
   * How long the reconciler waits (docs/audit-protocol.md). Both times together are at most 165 seconds: a meeting that
   * no one joined ends after 5 minutes.
   */
  readonly reconciler?: ReconcilerSettings;
  /** Chime's own events of who was added to a meeting and who joined it, by any door (docs/audit-protocol.md). */
  readonly events?: EventSettings;
  /** How a new version goes live. */
  readonly deployment?: DeploymentSettings;
}

/** The hosted zone that gets the DNS record. */
export interface HostedZoneConfig {
  /** Its id. */
  readonly id: string;
  /** Its name, such as example.com. */
  readonly name: string;
}

/** A domain name for the API, mapped to its root: it is then the only way to the API. */
export interface DomainConfig {
  /** The name, such as meetings.example.com. */
  readonly name: string;
  /** A certificate for that name, of ACM in the API's own Region. */
  readonly certificateArn: string;
  /**
   * The hosted zone that gets the DNS record.
   *
   * @default the DNS record is made elsewhere
   */
  readonly hostedZone?: HostedZoneConfig;
}

/** The alarms, and who is notified. */
export interface EnvironmentAlarmSettings {
  /**
   * The URL of the runbook: alarms link to its sections.
   *
   * @default docs/runbook.md
   */
  readonly runbookUrl?: string;
  /**
   * How many answers with a status of 500 and above in a minute raise the alarm, in two minutes of three. Requests for
   * which the function has no free concurrency are not counted: the same number of them raises a separate alarm. A
   * client that retries turns one failure into three. During a canary, the alarm rolls back to the old version. 1 to
   * 1,000,000.
   *
   * @default 3
   */
  readonly serverErrorsPerMinute?: number;
  /**
   * How many denials in five minutes raise the alarm. 1 to 1,000,000.
   *
   * @default 100
   */
  readonly denialsPerFiveMinutes?: number;
  /**
   * How many existing attendees, released with more than their ceiling in five minutes, raise the alarm. 1 to
   * 1,000,000.
   *
   * @default 50
   */
  readonly aboveCeilingPerFiveMinutes?: number;
  /**
   * The attendees in the events of a quarter hour whom no record of Usher explains that raise an alarm. Not for
   * deployments whose hosts admit people with AWS credentials. 1 to 1,000,000.
   *
   * @default no alarm
   */
  readonly attendeesWithoutRecord?: number;
  /**
   * The latency at the 99th percentile that raises the alarm, in milliseconds. 100 to 29,000.
   *
   * @default 5000
   */
  readonly latencyMs?: TimeSpan;
  /**
   * An SNS topic that is notified when an alarm begins and ends.
   *
   * @default alarms show in CloudWatch only
   */
  readonly topicArn?: string;
}

/** The seals, and where they go. */
export interface EnvironmentSealSettings {
  /**
   * Whether the audit is sealed.
   *
   * @default as `production`, but not where `removalPolicy` is `destroy`
   */
  readonly enabled?: boolean;
  /**
   * The mode of S3 Object Lock for the bucket that is created. In `governance` mode, who has
   * `s3:BypassGovernanceRetention` may delete seals; in `compliance` mode no one may, not even the account's root user,
   * before the lock ends. `none` is for previews. A bucket keeps its lock: it cannot be taken off later.
   *
   * @default `governance`
   */
  readonly lock?: 'governance' | 'compliance' | 'none';
  /**
   * How long a seal is locked, in days: `audit.retentionDays` at least. Where records have a retention, seals expire
   * after it. 1 to 36,500.
   *
   * @default `audit.retentionDays` and 30 more; 3650 where records are kept for ever
   */
  readonly lockDays?: TimeSpan;
  /**
   * An existing bucket for the seals in the stack's Region, such as one of another account (docs/seal-bucket.md).
   *
   * @default a bucket is created
   */
  readonly bucketArn?: string;
}

/** The configuration of one environment, as its file has it. */
export interface EnvironmentConfig extends FacadeSettings {
  /** The name of the CloudFormation stack. */
  readonly stackName: string;
  /**
   * The Region to deploy to.
   *
   * @default that of the CDK command line
   */
  readonly region?: string;
  /**
   * The account to deploy to.
   *
   * @default that of the CDK command line
   */
  readonly account?: string;
  /**
   * The tags of every resource that takes them.
   *
   * @default none
   */
  readonly tags?: { readonly [name: string]: string };
  /**
   * A KMS key for the tables.
   *
   * @default the account's own key for DynamoDB, `aws/dynamodb`
   */
  readonly encryptionKeyArn?: string;
  /**
   * What happens to the tables, the user pool and the logs when the stack is deleted. With `destroy` all of it is
   * deleted, the audit included, and nothing is protected against deletion: for preview environments. A bucket of seals
   * always stays.
   *
   * @default retain
   */
  readonly removalPolicy?: 'retain' | 'destroy';
  /**
   * A domain name for the API, mapped to its root: it is then the only way to the API.
   *
   * @default API Gateway's address, with the stage
   */
  readonly domain?: DomainConfig;
  /** The alarms, and who is notified. */
  readonly alarms?: EnvironmentAlarmSettings;
  /** The seals, and where they go. */
  readonly seals?: EnvironmentSealSettings;
}

/** `LimitSettings`, every default filled in. */
export interface CompleteLimitSettings {
  /**
   * The gateway's throttle for each method, in requests per second. Keep it far above Chime's quota: anonymous requests
   * count too, and must not lock others out. 1 to 10,000.
   */
  readonly requestsPerSecond: number;
  /** The burst of the gateway's throttle. 1 to 5,000. */
  readonly burst: number;
  /**
   * The gateway's throttle for browsers' preflights (OPTIONS), separate so that preflights and requests cannot use up
   * each other's rate. 1 to 10,000.
   *
   * @default as `requestsPerSecond`
   */
  readonly preflightsPerSecond?: number;
  /**
   * The burst of that throttle. 1 to 5,000.
   *
   * @default as `burst`
   */
  readonly preflightBurst?: number;
  /** The function's memory in MiB, which also sets its share of CPU. 128 to 10,240. */
  readonly memoryMb: number;
  /** The function's time-out in seconds. The gateway waits one second longer. 5 to 28. */
  readonly timeoutSeconds: number;
  /**
   * The reserved concurrency: the most requests at once. It also bounds how much of Chime's quota all of them can spend
   * (docs/authorization.md). It is taken from the account's concurrency. A request beyond it gets a 500 from the
   * gateway, not a 429, and raises the alarm FunctionThrottled: reserve more than requests per second times seconds per
   * request. 1 to 100,000.
   *
   * @default no limit but the account's
   */
  readonly reservedConcurrency?: number;
  /**
   * The provisioned concurrency: environments that Lambda keeps initialized, so that no request waits for one. Billed
   * by the hour. 1 to 100,000.
   *
   * @default none
   */
  readonly provisionedConcurrency?: number;
  /**
   * The most write request units that each table and index takes in a second, which limits the cost of a mistake. A
   * batch of 100 attendees takes some 260 in all, 100 of them in one table at once. 100 to 1,000,000.
   */
  readonly tableWriteUnitsPerSecond: number;
  /** The most read request units that each table and index takes in a second. 1 to 1,000,000. */
  readonly tableReadUnitsPerSecond: number;
}

/** `FirewallSettings`, every default filled in. */
export interface CompleteFirewallSettings {
  /**
   * Whether there is a firewall.
   *
   * @default the value of `production`
   */
  readonly enabled?: boolean;
  /**
   * The per-IP rate limit: requests in five minutes, preflights included; more are answered with 403. Everyone behind
   * one company's address shares it. 10 to 2,000,000,000.
   */
  readonly requestsPerFiveMinutes: number;
}

/** `LogSettings`, every default filled in. */
export interface CompleteLogSettings {
  /**
   * The log retention in days, one of the values that CloudWatch Logs allows; 9999 (`RetentionDays.INFINITE` of CDK) is
   * for ever.
   */
  readonly retentionDays: number;
  /** The log level. INFO is the highest: metrics are log lines, and Lambda drops lines below the level. */
  readonly level: 'DEBUG' | 'INFO';
  /**
   * Writes an access log: one JSON line for each request, without personal data. API Gateway needs a log role for the
   * account and Region: without one, the deployment fails.
   */
  readonly access: boolean;
  /** Creates that role, for the whole account and Region: set it in one stack only. */
  readonly accountRole: boolean;
}

/** `AlarmSettings`, every default filled in. */
export interface CompleteAlarmSettings {
  /** The URL of the runbook: alarms link to its sections. */
  readonly runbookUrl: string;
  /**
   * How many answers with a status of 500 and above in a minute raise the alarm, in two minutes of three. Requests for
   * which the function has no free concurrency are not counted: the same number of them raises a separate alarm. A
   * client that retries turns one failure into three. During a canary, the alarm rolls back to the old version. 1 to
   * 1,000,000.
   */
  readonly serverErrorsPerMinute: number;
  /** How many denials in five minutes raise the alarm. 1 to 1,000,000. */
  readonly denialsPerFiveMinutes: number;
  /**
   * How many existing attendees, released with more than their ceiling in five minutes, raise the alarm. 1 to
   * 1,000,000.
   */
  readonly aboveCeilingPerFiveMinutes: number;
  /**
   * The attendees in the events of a quarter hour whom no record of Usher explains that raise an alarm. Not for
   * deployments whose hosts admit people with AWS credentials. 1 to 1,000,000.
   *
   * @default no alarm
   */
  readonly attendeesWithoutRecord?: number;
  /** The latency at the 99th percentile that raises the alarm, in milliseconds. 100 to 29,000. */
  readonly latencyMs: number;
}

/** `AuditSettings`, every default filled in. */
export interface CompleteAuditSettings {
  /**
   * How long audit records are kept, in days. `RetentionDays.INFINITE` of CDK, 9999, is for ever too. 7 to 36,500.
   *
   * @default for ever
   */
  readonly retentionDays?: number;
}

/** `SealSettings`, every default filled in. */
export interface CompleteSealSettings {
  /**
   * Whether the audit is sealed.
   *
   * @default as `production`, but not where `removalPolicy` is `destroy`
   */
  readonly enabled?: boolean;
  /**
   * The mode of S3 Object Lock for the bucket that is created. In `governance` mode, who has
   * `s3:BypassGovernanceRetention` may delete seals; in `compliance` mode no one may, not even the account's root user,
   * before the lock ends. `none` is for previews. A bucket keeps its lock: it cannot be taken off later.
   *
   * @default `governance`
   */
  readonly lock?: 'governance' | 'compliance' | 'none';
  /**
   * How long a seal is locked, in days: `audit.retentionDays` at least. Where records have a retention, seals expire
   * after it. 1 to 36,500.
   *
   * @default `audit.retentionDays` and 30 more; 3650 where records are kept for ever
   */
  readonly lockDays?: number;
}

/** `ReconcilerSettings`, every default filled in. */
export interface CompleteReconcilerSettings {
  /** The time after an intent's deadline in which its handler and Chime finish, in seconds. 1 to 240. */
  readonly marginSeconds: number;
  /** The time between two looks at one meeting, in seconds. 1 to 240. */
  readonly secondLookSeconds: number;
}

/** `FacadeSettings`, every default filled in. */
export interface CompleteSettings {
  /**
   * Whether this deployment is for production. There, the firewall and the seals are on by default: they cost money,
   * and a trial does not need them.
   */
  readonly production: boolean;
  /**
   * The Chime SDK control Region of the meetings: a meeting is only known in the Region that created it.
   *
   * @default the Region of the stack
   */
  readonly meetingsRegion?: string;
  /**
   * The web origins whose pages may call the API, exactly as browsers send them; `http://localhost:*` for any port of
   * the local machine; `capacitor://localhost`, `ionic://localhost` or `chrome-extension://ID` for apps and extensions.
   * A host name may be one that is only known at deployment, such as that of a distribution of the same app.
   */
  readonly allowedOrigins: readonly string[];
  /**
   * The request headers that pages may send in addition to those of AWS SDKs and of common tracing tools, which are
   * always allowed (docs/wire-contract.md).
   */
  readonly allowedHeaders: readonly string[];
  /** The first part of the path, if there is no custom domain. */
  readonly stageName: string;
  /** Who issues tokens, and what their tokens may do (docs/administrators.md). */
  readonly issuers: IssuerRules[];
  /** The Cognito user pool that is created if there are no `issuers`. */
  readonly cognito: CognitoSettings;
  /** Throttles, sizes and concurrency. */
  readonly limits: CompleteLimitSettings;
  /** AWS WAF in front of the API: a per-IP rate limit and AWS's managed rules. */
  readonly firewall: CompleteFirewallSettings;
  /** The logs. */
  readonly logs: CompleteLogSettings;
  /** The alarms. */
  readonly alarms: CompleteAlarmSettings;
  /** The audit records. */
  readonly audit: CompleteAuditSettings;
  /**
   * The seals: every hour, one object in S3 that says which audit records there are
   * (docs/decisions/0030-seals-are-a-chain-of-locked-objects.md).
   */
  readonly seals: CompleteSealSettings;
  /**
   * How long the reconciler waits (docs/audit-protocol.md). Both times together are at most 165 seconds: a meeting that
   * no one joined ends after 5 minutes.
   */
  readonly reconciler: CompleteReconcilerSettings;
  /** Chime's own events of who was added to a meeting and who joined it, by any door (docs/audit-protocol.md). */
  readonly events: EventSettings;
  /** How a new version goes live. */
  readonly deployment: DeploymentSettings;
}

/** `EnvironmentAlarmSettings`, every default filled in. */
export interface CompleteEnvironmentAlarmSettings {
  /** The URL of the runbook: alarms link to its sections. */
  readonly runbookUrl: string;
  /**
   * How many answers with a status of 500 and above in a minute raise the alarm, in two minutes of three. Requests for
   * which the function has no free concurrency are not counted: the same number of them raises a separate alarm. A
   * client that retries turns one failure into three. During a canary, the alarm rolls back to the old version. 1 to
   * 1,000,000.
   */
  readonly serverErrorsPerMinute: number;
  /** How many denials in five minutes raise the alarm. 1 to 1,000,000. */
  readonly denialsPerFiveMinutes: number;
  /**
   * How many existing attendees, released with more than their ceiling in five minutes, raise the alarm. 1 to
   * 1,000,000.
   */
  readonly aboveCeilingPerFiveMinutes: number;
  /**
   * The attendees in the events of a quarter hour whom no record of Usher explains that raise an alarm. Not for
   * deployments whose hosts admit people with AWS credentials. 1 to 1,000,000.
   *
   * @default no alarm
   */
  readonly attendeesWithoutRecord?: number;
  /** The latency at the 99th percentile that raises the alarm, in milliseconds. 100 to 29,000. */
  readonly latencyMs: number;
  /**
   * An SNS topic that is notified when an alarm begins and ends.
   *
   * @default alarms show in CloudWatch only
   */
  readonly topicArn?: string;
}

/** `EnvironmentSealSettings`, every default filled in. */
export interface CompleteEnvironmentSealSettings {
  /**
   * Whether the audit is sealed.
   *
   * @default as `production`, but not where `removalPolicy` is `destroy`
   */
  readonly enabled?: boolean;
  /**
   * The mode of S3 Object Lock for the bucket that is created. In `governance` mode, who has
   * `s3:BypassGovernanceRetention` may delete seals; in `compliance` mode no one may, not even the account's root user,
   * before the lock ends. `none` is for previews. A bucket keeps its lock: it cannot be taken off later.
   *
   * @default `governance`
   */
  readonly lock?: 'governance' | 'compliance' | 'none';
  /**
   * How long a seal is locked, in days: `audit.retentionDays` at least. Where records have a retention, seals expire
   * after it. 1 to 36,500.
   *
   * @default `audit.retentionDays` and 30 more; 3650 where records are kept for ever
   */
  readonly lockDays?: number;
  /**
   * An existing bucket for the seals in the stack's Region, such as one of another account (docs/seal-bucket.md).
   *
   * @default a bucket is created
   */
  readonly bucketArn?: string;
}

/** `EnvironmentConfig`, every default filled in. */
export interface CompleteConfig extends CompleteSettings {
  /** The name of the CloudFormation stack. */
  readonly stackName: string;
  /**
   * The Region to deploy to.
   *
   * @default that of the CDK command line
   */
  readonly region?: string;
  /**
   * The account to deploy to.
   *
   * @default that of the CDK command line
   */
  readonly account?: string;
  /** The tags of every resource that takes them. */
  readonly tags: { readonly [name: string]: string };
  /**
   * A KMS key for the tables.
   *
   * @default the account's own key for DynamoDB, `aws/dynamodb`
   */
  readonly encryptionKeyArn?: string;
  /**
   * What happens to the tables, the user pool and the logs when the stack is deleted. With `destroy` all of it is
   * deleted, the audit included, and nothing is protected against deletion: for preview environments. A bucket of seals
   * always stays.
   *
   * @default retain
   */
  readonly removalPolicy?: 'retain' | 'destroy';
  /**
   * A domain name for the API, mapped to its root: it is then the only way to the API.
   *
   * @default API Gateway's address, with the stage
   */
  readonly domain?: DomainConfig;
  /** The alarms, and who is notified. */
  readonly alarms: CompleteEnvironmentAlarmSettings;
  /** The seals, and where they go. */
  readonly seals: CompleteEnvironmentSealSettings;
}
