import { z } from 'zod';
import { issuersSchema } from './issuers.ts';
import { problemWithOrigin } from './origins.ts';
import { INFINITE_DAYS, timeSpan } from './time-span.ts';

// The one definition of every setting: its documentation, default, bounds and message. `npm run generate` makes the
// public types (props.ts) and docs/configuration.md from it. `leftOut` describes the behaviour without a value if that
// is not a default.

/** A batch of 100 attendees takes 100 units in the admission table at once, and as many in its index. */
export const MIN_WRITE_UNITS_PER_SECOND = 100;

/** The problem of a lower value. */
export const TOO_FEW_WRITE_UNITS = `is below ${MIN_WRITE_UNITS_PER_SECOND}, the units that a batch of 100 attendees takes in the admission table at once, so the admissions of large batches would be written late or never; raise it to that number or more`;

export const DEFAULT_TABLE_UNITS_PER_SECOND = 4_000;

export const DEFAULT_RESOURCE_SERVER = 'usher';

export const DEFAULT_STAGE_NAME = 'v1';

/** The retention times of CloudWatch Logs (API reference, PutRetentionPolicy), in days. */
const LOG_RETENTION_DAYS = [
  1,
  3,
  5,
  7,
  14,
  30,
  60,
  90,
  120,
  150,
  180,
  365,
  400,
  545,
  731,
  1096,
  1827,
  2192,
  2557,
  2922,
  3288,
  3653,
  INFINITE_DAYS,
] as const;

const wholeNumber = (min: number, max: number) => z.number().int().min(min).max(max);

/** Every group refuses unknown keys: a misspelt rule would have no effect. */
const group = <Shape extends z.ZodRawShape>(title: string, description: string, shape: Shape) =>
  z.strictObject(shape).meta({ title, description });

// A header that browsers never let a page send is useless in the list (Fetch standard, forbidden request-header).
const requestHeader = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'+.^_`|~-]{1,100}$/, {
    error:
      'is not the name of a header, such as x-correlation-id; list each one by name, since browsers do not apply * to Authorization',
  })
  .refine(
    (name) => !/^(cookie2?|host|origin|referer|connection|content-length|(proxy|sec)-.*)$/i.test(name),
    {
      error: 'is a header that no page can set, so it needs no permission; remove it',
    },
  );

const origin = z.string().superRefine((text, context) => {
  const message = problemWithOrigin(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const cognito = group('CognitoSettings', 'The Cognito user pool that is created if there are no `issuers`.', {
  domainPrefix: z
    .exactOptional(
      z.string().regex(/^(?!.*(?:aws|amazon|cognito))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
        error:
          'Cognito allows 1 to 63 lower-case letters, digits and inner hyphens, without the words aws, amazon and cognito',
      }),
    )
    .meta({
      description: "The first part of the pool's host name under amazoncognito.com, unique in its Region.",
      leftOut: 'derived from the account and the names of stack and construct',
    }),
  // Cognito allows more characters; a scope is this, a slash and a name, without spaces.
  resourceServer: z
    .exactOptional(
      z.string().regex(/^[A-Za-z0-9:/._-]{1,200}$/, {
        error: 'is not the identifier of a resource server, such as usher or https://meetings.example.com',
      }),
    )
    .meta({
      description: "The resource server's identifier: scopes begin with it. Unique in its pool.",
      leftOut: DEFAULT_RESOURCE_SERVER,
    }),
});

// At least seven days: an intent's expiry is set once, when it is written, so it has to outlast any time in which the
// intent may still be open.
const audit = group('AuditSettings', 'The audit records.', {
  retentionDays: z.exactOptional(wholeNumber(7, 36_500)).meta({
    ...timeSpan,
    description:
      'How long audit records are kept, in days. `RetentionDays.INFINITE` of CDK, 9999, is for ever too.',
    leftOut: 'for ever',
  }),
});

// A handler's process ends at most 13 seconds after the deadline; below 30 seconds is for tests, on one machine.
const reconciler = group(
  'ReconcilerSettings',
  'How long the reconciler waits (docs/audit-protocol.md). Both times together are at most 165 seconds: a meeting that no one joined ends after 5 minutes.',
  {
    marginSeconds: wholeNumber(1, 240)
      .default(45)
      .meta({
        ...timeSpan,
        description: "The time after an intent's deadline in which its handler and Chime finish, in seconds.",
      }),
    secondLookSeconds: wholeNumber(1, 240)
      .default(60)
      .meta({
        ...timeSpan,
        description: 'The time between two looks at one meeting, in seconds.',
      }),
  },
);

const events = group(
  'EventSettings',
  "Chime's own events of who was added to a meeting and who joined it, by any door (docs/audit-protocol.md).",
  {
    enabled: z.exactOptional(z.boolean()).meta({
      description:
        'Whether they are recorded. Chime sends them in the Region of `meetingsRegion`, so that is where the stack has to be.',
      leftOut: 'yes, where `meetingsRegion` is known to be the Region of the stack',
    }),
  },
);

/** S3 takes no longer default retention (API reference, DefaultRetention). */
export const MAX_LOCK_DAYS = 36_500;

const seals = group(
  'SealSettings',
  'The seals: every hour, one object in S3 that says which audit records there are (docs/decisions/0030-seals-are-a-chain-of-locked-objects.md).',
  {
    enabled: z.exactOptional(z.boolean()).meta({
      description: 'Whether the audit is sealed.',
      leftOut: 'as `production`, but not where `removalPolicy` is `destroy`',
    }),
    lock: z.exactOptional(z.enum(['governance', 'compliance', 'none'])).meta({
      description:
        "The mode of S3 Object Lock for the bucket that is created. In `governance` mode, who has `s3:BypassGovernanceRetention` may delete seals; in `compliance` mode no one may, not even the account's root user, before the lock ends. `none` is for previews. A bucket keeps its lock: it cannot be taken off later.",
      leftOut: '`governance`',
    }),
    lockDays: z.exactOptional(wholeNumber(1, MAX_LOCK_DAYS)).meta({
      ...timeSpan,
      description:
        'How long a seal is locked, in days: `audit.retentionDays` at least. Where records have a retention, seals expire after it.',
      leftOut: '`audit.retentionDays` and 30 more; 3650 where records are kept for ever',
    }),
  },
);

const firewall = group(
  'FirewallSettings',
  "AWS WAF in front of the API: a per-IP rate limit and AWS's managed rules.",
  {
    enabled: z.exactOptional(z.boolean()).meta({
      description: 'Whether there is a firewall.',
      leftOut: 'the value of `production`',
    }),
    // WAF's own bounds for a rate-based rule.
    requestsPerFiveMinutes: wholeNumber(10, 2_000_000_000).default(3_000).meta({
      description:
        "The per-IP rate limit: requests in five minutes, preflights included; more are answered with 403. Everyone behind one company's address shares it.",
    }),
  },
);

const alarms = group('AlarmSettings', 'The alarms.', {
  runbookUrl: z.string().min(1).default('docs/runbook.md').meta({
    description: 'The URL of the runbook: alarms link to its sections.',
  }),
  serverErrorsPerMinute: wholeNumber(1, 1_000_000).default(3).meta({
    description:
      'How many answers with a status of 500 and above in a minute raise the alarm, in two minutes of three. Requests for which the function has no free concurrency are not counted: the same number of them raises a separate alarm. A client that retries turns one failure into three. During a canary, the alarm rolls back to the old version.',
  }),
  denialsPerFiveMinutes: wholeNumber(1, 1_000_000).default(100).meta({
    description: 'How many denials in five minutes raise the alarm.',
  }),
  aboveCeilingPerFiveMinutes: wholeNumber(1, 1_000_000).default(50).meta({
    description:
      'How many existing attendees, released with more than their ceiling in five minutes, raise the alarm.',
  }),
  attendeesWithoutRecord: z.exactOptional(wholeNumber(1, 1_000_000)).meta({
    description:
      'The attendees in the events of a quarter hour whom no record of Usher explains that raise an alarm. Not for deployments whose hosts admit people with AWS credentials.',
    leftOut: 'no alarm',
  }),
  latencyMs: wholeNumber(100, 29_000)
    .default(5_000)
    .meta({
      ...timeSpan,
      description: 'The latency at the 99th percentile that raises the alarm, in milliseconds.',
    }),
});

const logs = group('LogSettings', 'The logs.', {
  retentionDays: z
    .literal(LOG_RETENTION_DAYS, {
      error: `is not a log retention of CloudWatch Logs; choose one of these numbers of days: ${LOG_RETENTION_DAYS.join(', ')}`,
    })
    .default(30)
    .meta({
      ...timeSpan,
      description:
        'The log retention in days, one of the values that CloudWatch Logs allows; 9999 (`RetentionDays.INFINITE` of CDK) is for ever.',
    }),
  level: z
    .enum(['DEBUG', 'INFO'], {
      error:
        'must be DEBUG or INFO: above INFO, Lambda would drop the metrics too, which are log lines, and no alarm could fire',
    })
    .default('INFO')
    .meta({
      description:
        'The log level. INFO is the highest: metrics are log lines, and Lambda drops lines below the level.',
    }),
  access: z.boolean().default(false).meta({
    description:
      'Writes an access log: one JSON line for each request, without personal data. API Gateway needs a log role for the account and Region: without one, the deployment fails.',
  }),
  accountRole: z.boolean().default(false).meta({
    description: 'Creates that role, for the whole account and Region: set it in one stack only.',
  }),
});

const limits = group('LimitSettings', 'Throttles, sizes and concurrency.', {
  requestsPerSecond: wholeNumber(1, 10_000).default(100).meta({
    description:
      "The gateway's throttle for each method, in requests per second. Keep it far above Chime's quota: anonymous requests count too, and must not lock others out.",
  }),
  burst: wholeNumber(1, 5_000).default(200).meta({ description: "The burst of the gateway's throttle." }),
  preflightsPerSecond: z.exactOptional(wholeNumber(1, 10_000)).meta({
    description:
      "The gateway's throttle for browsers' preflights (OPTIONS), separate so that preflights and requests cannot use up each other's rate.",
    leftOut: 'as `requestsPerSecond`',
  }),
  preflightBurst: z.exactOptional(wholeNumber(1, 5_000)).meta({
    description: 'The burst of that throttle.',
    leftOut: 'as `burst`',
  }),
  memoryMb: wholeNumber(128, 10_240).default(1024).meta({
    description: "The function's memory in MiB, which also sets its share of CPU.",
  }),
  // API Gateway stops waiting after 29 seconds: the function must end before, or its answer is lost. 3.5 seconds of its
  // time are reserved for recording the outcome and for the answer.
  timeoutSeconds: wholeNumber(5, 28)
    .default(20)
    .meta({
      ...timeSpan,
      description: "The function's time-out in seconds. The gateway waits one second longer.",
    }),
  reservedConcurrency: z.exactOptional(wholeNumber(1, 100_000)).meta({
    description:
      "The reserved concurrency: the most requests at once. It also bounds how much of Chime's quota all of them can spend (docs/authorization.md). It is taken from the account's concurrency. A request beyond it gets a 500 from the gateway, not a 429, and raises the alarm FunctionThrottled: reserve more than requests per second times seconds per request.",
    leftOut: "no limit but the account's",
  }),
  provisionedConcurrency: z.exactOptional(wholeNumber(1, 100_000)).meta({
    description:
      'The provisioned concurrency: environments that Lambda keeps initialized, so that no request waits for one. Billed by the hour.',
    leftOut: 'none',
  }),
  tableWriteUnitsPerSecond: z
    .number()
    .int()
    .min(MIN_WRITE_UNITS_PER_SECOND, { error: TOO_FEW_WRITE_UNITS })
    .max(1_000_000)
    .default(DEFAULT_TABLE_UNITS_PER_SECOND)
    .meta({
      description:
        'The most write request units that each table and index takes in a second, which limits the cost of a mistake. A batch of 100 attendees takes some 260 in all, 100 of them in one table at once.',
    }),
  tableReadUnitsPerSecond: wholeNumber(1, 1_000_000).default(DEFAULT_TABLE_UNITS_PER_SECOND).meta({
    description: 'The most read request units that each table and index takes in a second.',
  }),
});

const deployment = group('DeploymentSettings', 'How a new version goes live.', {
  canaryMinutes: z.exactOptional(z.literal([5, 10, 15, 30])).meta({
    description:
      'Sends a tenth of the requests to a new version for this many minutes (CodeDeploy), and rolls back if an error alarm fires meanwhile.',
    leftOut: 'all requests at once',
  }),
});

/** The settings of a facade: what a configuration file and code both have. */
export const facadeShape = {
  production: z.boolean().default(true).meta({
    description:
      'Whether this deployment is for production. There, the firewall and the seals are on by default: they cost money, and a trial does not need them.',
  }),
  meetingsRegion: z.exactOptional(z.string()).meta({
    description:
      'The Chime SDK control Region of the meetings: a meeting is only known in the Region that created it.',
    leftOut: 'the Region of the stack',
  }),
  allowedOrigins: z.array(origin).default([]).meta({
    description:
      'The web origins whose pages may call the API, exactly as browsers send them; `http://localhost:*` for any port of the local machine; `capacitor://localhost`, `ionic://localhost` or `chrome-extension://ID` for apps and extensions. A host name may be one that is only known at deployment, such as that of a distribution of the same app.',
  }),
  allowedHeaders: z.array(requestHeader).default([]).meta({
    description:
      'The request headers that pages may send in addition to those of AWS SDKs and of common tracing tools, which are always allowed (docs/wire-contract.md).',
  }),
  stageName: z
    .string()
    .regex(/^[A-Za-z0-9_]{1,128}$/, {
      error: 'API Gateway allows letters, digits and underscores, at most 128',
    })
    .default(DEFAULT_STAGE_NAME)
    .meta({ description: 'The first part of the path, if there is no custom domain.' }),
  issuers: issuersSchema.default([]).meta({
    description: 'Who issues tokens, and what their tokens may do (docs/administrators.md).',
    leftOut: 'a Cognito user pool with one machine client',
  }),
  cognito: cognito.prefault({}),
  limits: limits.prefault({}),
  firewall: firewall.prefault({}),
  logs: logs.prefault({}),
  alarms: alarms.prefault({}),
  audit: audit.prefault({}),
  seals: seals.prefault({}),
  reconciler: reconciler.prefault({}),
  events: events.prefault({}),
  deployment: deployment.prefault({}),
};

export const facadeSchema = group(
  'FacadeSettings',
  'The settings of a facade that name no other construct: the same keys in a configuration file and in code.',
  facadeShape,
);

const hostedZone = group('HostedZoneConfig', 'A Route 53 hosted zone.', {
  id: z
    .string()
    .regex(/^[A-Z0-9]{1,32}$/, { error: 'is not the id of a Route 53 hosted zone' })
    .meta({ description: 'Its id.' }),
  name: z.string().min(1).meta({ description: 'Its name, such as example.com.' }),
});

const domain = group(
  'DomainConfig',
  'A domain name for the API, mapped to its root: it is then the only way to the API.',
  {
    name: z
      .string()
      .regex(/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, {
        error: 'is not a domain name, such as meetings.example.com',
      })
      .meta({ description: 'The name, such as meetings.example.com.' }),
    certificateArn: z
      .string()
      .regex(/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[A-Za-z0-9-]+$/, {
        error: "is not the ARN of a certificate of ACM, in the API's own Region",
      })
      .meta({ description: "A certificate for that name, of ACM in the API's own Region." }),
    hostedZone: z.exactOptional(hostedZone).meta({
      description: 'The hosted zone that gets the DNS record.',
      leftOut: 'the DNS record is made elsewhere',
    }),
  },
);

/** The configuration file's keys in addition to a facade's settings: where it deploys, and existing resources. */
export const configSchema = group(
  'EnvironmentConfig',
  'The configuration of one environment, as its file has it.',
  {
    stackName: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, {
        error: 'CloudFormation allows letters, digits and hyphens, a letter first, at most 128 characters',
      })
      .meta({ description: 'The name of the CloudFormation stack.' }),
    region: z
      .exactOptional(
        z
          .string()
          .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'is not the name of a Region, such as eu-central-1' }),
      )
      .meta({ description: 'The Region to deploy to.', leftOut: 'that of the CDK command line' }),
    account: z
      .exactOptional(z.string().regex(/^\d{12}$/, { error: 'an AWS account is 12 digits, as a string' }))
      .meta({ description: 'The account to deploy to.', leftOut: 'that of the CDK command line' }),
    tags: z.record(z.string().min(1).max(128), z.string().max(256)).default({}).meta({
      description: 'The tags of every resource that takes them.',
    }),
    encryptionKeyArn: z
      .exactOptional(
        z.string().regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, {
          error:
            'is not the ARN of a KMS key, such as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
        }),
      )
      .meta({
        description: 'A KMS key for the tables.',
        leftOut: "the account's own key for DynamoDB, `aws/dynamodb`",
      }),
    removalPolicy: z.exactOptional(z.enum(['retain', 'destroy'])).meta({
      leftOut: 'retain',
      description:
        'What happens to the tables, the user pool and the logs when the stack is deleted. With `destroy` all of it is deleted, the audit included, and nothing is protected against deletion: for preview environments. A bucket of seals always stays.',
    }),
    domain: z.exactOptional(domain).meta({
      leftOut: "API Gateway's address, with the stage",
    }),
    ...facadeShape,
    seals: seals
      .extend({
        bucketArn: z
          .exactOptional(
            z.string().regex(/^arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, {
              error: 'is not the ARN of an S3 bucket, such as arn:aws:s3:::usher-seals',
            }),
          )
          .meta({
            description:
              "An existing bucket for the seals in the stack's Region, such as one of another account (docs/seal-bucket.md).",
            leftOut: 'a bucket is created',
          }),
      })
      .meta({ title: 'EnvironmentSealSettings', description: 'The seals, and where they go.' })
      .prefault({}),
    alarms: alarms
      .extend({
        topicArn: z
          .exactOptional(
            z.string().regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/, {
              error: 'is not the ARN of an SNS topic, such as arn:aws:sns:eu-central-1:123456789012:on-call',
            }),
          )
          .meta({
            description: 'An SNS topic that is notified when an alarm begins and ends.',
            leftOut: 'alarms show in CloudWatch only',
          }),
      })
      .meta({ title: 'EnvironmentAlarmSettings', description: 'The alarms, and who is notified.' })
      .prefault({}),
  },
);
