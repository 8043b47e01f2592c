import { Token } from 'aws-cdk-lib';
import { z } from 'zod';
import { ConfigurationError } from '../checks/configuration-error.ts';
import { withPlaceholders } from './deploy-time.ts';
import { type IssuerEntry, isLoopback, issuersSchema } from './issuers.ts';

/** What is set of a facade without naming another construct: the same keys in a configuration file and in code. */
export interface FacadeSettings {
  /**
   * Whether people depend on this deployment. What costs money and is not needed to try Usher is on by default where they
   * do: the firewall.
   *
   * @default true
   */
  readonly production?: boolean;
  /**
   * The Chime SDK control Region whose meetings are meant: a meeting is only known in the Region that created it.
   *
   * @default the Region of the stack
   */
  readonly meetingsRegion?: string;
  /**
   * Who issues tokens, and what their tokens may do (docs/administrators.md).
   *
   * @default a Cognito user pool with one machine client
   */
  readonly issuers?: readonly IssuerEntry[];
  /** What is made in Cognito where no issuers are given. */
  readonly cognito?: {
    /**
     * The first part of the pool's host name under amazoncognito.com, unique in its Region.
     *
     * @default made from the account and the names of stack and construct
     */
    readonly domainPrefix?: string;
    /**
     * The resource server's identifier, which scopes begin with; unique in its pool.
     *
     * @default usher
     */
    readonly resourceServer?: string;
  };
  /**
   * Web origins whose pages may call, exactly as browsers send them; `http://localhost:*` for any port of one's own machine.
   * A host name may be one that is only known at deployment, such as that of a distribution of the same app.
   *
   * @default none
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * The first part of the path, where there is no custom domain.
   *
   * @default v1
   */
  readonly stageName?: string;
  readonly audit?: {
    /**
     * How long audit records are kept, in days, 7 at least.
     *
     * @default for ever
     */
    readonly retentionDays?: number;
  };
  readonly reconciler?: {
    /**
     * How long after an intent's deadline its handler and Chime have to finish, in seconds.
     *
     * @default 45
     */
    readonly marginSeconds?: number;
    /**
     * How far apart two looks at one meeting are, in seconds. Both are to be taken before a meeting that nobody joined ends, after
     * 5 minutes: together with `marginSeconds`, 165 at most.
     *
     * @default 60
     */
    readonly secondLookSeconds?: number;
  };
  /** AWS WAF before the API: a limit by source address, and AWS's managed rules. */
  readonly firewall?: {
    /** @default as `production` */
    readonly enabled?: boolean;
    /**
     * How many requests one source address may send in five minutes, preflights included; more are answered with 403.
     * Everyone behind one company's address shares it.
     *
     * @default 3000
     */
    readonly requestsPerFiveMinutes?: number;
  };
  readonly alarms?: {
    /**
     * Where the runbook can be read; alarms link to its sections.
     *
     * @default docs/runbook.md
     */
    readonly runbookUrl?: string;
    /**
     * How many answers with a status of 500 and above in a minute are too many, in two minutes of three. A client that
     * repeats makes three of one failure. While a canary runs, this puts the old version back.
     *
     * @default 3
     */
    readonly serverErrorsPerMinute?: number;
    /**
     * How many denials in five minutes are a surge.
     *
     * @default 100
     */
    readonly denialsPerFiveMinutes?: number;
    /**
     * How long the slowest hundredth of the answers may take, in milliseconds.
     *
     * @default 5000
     */
    readonly latencyMs?: number;
  };
  readonly logs?: {
    /**
     * One of the numbers of days that CloudWatch Logs knows.
     *
     * @default 30
     */
    readonly retentionDays?: number;
    /**
     * INFO at most: metrics are log lines, and by AWS's documentation Lambda would leave them out with what is below WARN.
     *
     * @default INFO
     */
    readonly level?: 'DEBUG' | 'INFO';
    /**
     * One JSON line for each request, without personal data. API Gateway writes them only where the account and Region
     * have given it a role for its logs, and a stage that asks for them without one fails to deploy.
     *
     * @default false
     */
    readonly access?: boolean;
    /**
     * Makes that role, for the whole account and Region: to be asked of one stack only.
     *
     * @default false
     */
    readonly accountRole?: boolean;
  };
  readonly limits?: {
    /**
     * The gateway's throttle for each method. Far above what Chime takes: anonymous requests are counted too, and must
     * not lock others out.
     *
     * @default 100
     */
    readonly requestsPerSecond?: number;
    /** @default 200 */
    readonly burst?: number;
    /**
     * The gateway's throttle for browsers' preflights (OPTIONS), so that neither they nor requests can use up the other's.
     *
     * @default as `requestsPerSecond`
     */
    readonly preflightsPerSecond?: number;
    /** @default as `burst` */
    readonly preflightBurst?: number;
    /**
     * The function's memory in MiB, which its share of a processor goes by.
     *
     * @default 1024
     */
    readonly memoryMb?: number;
    /**
     * How long the function may take. A second less than the gateway waits for it, which is 29 seconds at most.
     *
     * @default 20
     */
    readonly timeoutSeconds?: number;
    /**
     * How many requests are worked on at once, at most. It also bounds how much of Chime's quota all of them can spend
     * (docs/authorization.md). Taken from what the account has in all.
     *
     * @default no limit but the account's
     */
    readonly reservedConcurrency?: number;
    /**
     * How many environments are kept started, so that nobody waits for one. Paid for by the hour.
     *
     * @default none
     */
    readonly provisionedConcurrency?: number;
    /**
     * What each table and index may take in a second, in write request units, so that a mistake cannot cost without end.
     * A batch of 100 attendees takes some 260 in all. Where the audit table takes no more, requests are answered with 503
     * and nobody is let in; where the admission table does not, batches are answered and the reconciler adds what is missing.
     * 100 at least, which a batch of 100 attendees takes there at once.
     *
     * @default 4000
     */
    readonly tableWriteUnitsPerSecond?: number;
    /**
     * What may be read of each table and index in a second, in read request units.
     *
     * @default 4000
     */
    readonly tableReadUnitsPerSecond?: number;
  };
  readonly deployment?: {
    /**
     * Sends a tenth of the requests to a new version for that many minutes, by CodeDeploy, and goes back to the old one
     * where an alarm for errors goes off meanwhile.
     *
     * @default all at once
     */
    readonly canaryMinutes?: 5 | 10 | 15 | 30;
  };
}

/** The Regions that have a Chime SDK meetings endpoint (a meeting's control Region, not its media Region). */
export const CONTROL_REGIONS = [
  'us-east-1',
  'us-west-2',
  'af-south-1',
  'ap-south-1',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'eu-central-1',
  'eu-west-2',
  'il-central-1',
  'us-gov-east-1',
  'us-gov-west-1',
] as const;

/** The retention times that CloudWatch Logs knows (API reference, PutRetentionPolicy), in days. */
const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/** Lambda's limit for all environment variables together, names and values. */
const ENVIRONMENT_LIMIT_BYTES = 4096;

/** What the other variables may take: two table names of at most 255 bytes each, the stack's name, and the short ones. */
const ENVIRONMENT_RESERVE_BYTES = 896;

/** A batch of 100 attendees is entered at once: 100 units in the admission table, and as many in its index. */
export const MIN_WRITE_UNITS_PER_SECOND = 100;

/** How long a meeting lasts in which nobody is connected, in seconds (the Chime SDK's CreateMeeting, auto-termination). */
const EMPTY_MEETING_SECONDS = 300;

/** No request takes longer, whatever the function is given (lambda/create-attendees/create-attendees.ts). */
const MAX_REQUEST_SECONDS = 15;

/** The reconciler runs every minute, and has two looks to take. */
const RECONCILER_WAITS_SECONDS = 2 * 60;

const origin = z.string().superRefine((text, context) => {
  const message = problemWithOrigin(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const count = (least: number, most: number) => z.number().int().min(least).max(most);

/** The keys of `FacadeSettings`, for a schema that adds its own. */
export const facadeShape = {
  production: z.boolean().default(true),
  meetingsRegion: z.exactOptional(z.string()),
  issuers: issuersSchema.default([]),
  cognito: z
    .strictObject({
      domainPrefix: z.exactOptional(
        z.string().regex(/^(?!.*(?:aws|amazon|cognito))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
          error:
            'Cognito allows 1 to 63 lower-case letters, digits and inner hyphens, without the words aws, amazon and cognito',
        }),
      ),
      // Cognito takes more characters; a scope is this and a slash and a name, without spaces.
      resourceServer: z.exactOptional(
        z.string().regex(/^[A-Za-z0-9:/._-]{1,200}$/, {
          error: 'is no identifier of a resource server, such as usher or https://meetings.example.com',
        }),
      ),
    })
    .prefault({}),
  allowedOrigins: z.array(origin).default([]),
  stageName: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,128}$/, { error: 'API Gateway allows letters, digits, hyphens and underscores' })
    .default('v1'),
  // Seven days at least: an intent gets its expiry when it is written and can never get another, so it has to outlast any
  // time in which it may still be open.
  audit: z.strictObject({ retentionDays: z.exactOptional(count(7, 36_500)) }).prefault({}),
  reconciler: z
    .strictObject({
      // A handler's process ends at most 13 seconds after the deadline; below 30 seconds is for tests, on one machine. How
      // much both may be together is said below.
      marginSeconds: count(1, 240).default(45),
      secondLookSeconds: count(1, 240).default(60),
    })
    .prefault({}),
  firewall: z
    .strictObject({
      enabled: z.exactOptional(z.boolean()),
      // WAF's own bounds for a rate-based rule.
      requestsPerFiveMinutes: count(10, 2_000_000_000).default(3_000),
    })
    .prefault({}),
  alarms: z
    .strictObject({
      runbookUrl: z.string().min(1).default('docs/runbook.md'),
      serverErrorsPerMinute: count(1, 1_000_000).default(3),
      denialsPerFiveMinutes: count(1, 1_000_000).default(100),
      latencyMs: count(100, 29_000).default(5_000),
    })
    .prefault({}),
  logs: z
    .strictObject({
      retentionDays: z
        .literal(LOG_RETENTION_DAYS, {
          error: `CloudWatch Logs knows only these numbers of days: ${LOG_RETENTION_DAYS.join(', ')}`,
        })
        .default(30),
      level: z
        .enum(['DEBUG', 'INFO'], {
          error:
            'is DEBUG or INFO: above, Lambda would leave out the metrics too, which are log lines, and no alarm could see',
        })
        .default('INFO'),
      access: z.boolean().default(false),
      accountRole: z.boolean().default(false),
    })
    .prefault({}),
  limits: z
    .strictObject({
      requestsPerSecond: count(1, 10_000).default(100),
      burst: count(1, 5_000).default(200),
      preflightsPerSecond: z.exactOptional(count(1, 10_000)),
      preflightBurst: z.exactOptional(count(1, 5_000)),
      memoryMb: count(128, 10_240).default(1024),
      // API Gateway gives up after 29 seconds: the function must end before, or its answer is lost. Of what it has, 3.5
      // seconds are kept for recording the outcome and for the answer.
      timeoutSeconds: count(5, 28).default(20),
      reservedConcurrency: z.exactOptional(count(1, 100_000)),
      provisionedConcurrency: z.exactOptional(count(1, 100_000)),
      tableWriteUnitsPerSecond: z
        .number()
        .int()
        .min(MIN_WRITE_UNITS_PER_SECOND, { error: tooFewWriteUnits() })
        .max(1_000_000)
        .default(4_000),
      tableReadUnitsPerSecond: count(1, 1_000_000).default(4_000),
    })
    .prefault({}),
  deployment: z.strictObject({ canaryMinutes: z.exactOptional(z.literal([5, 10, 15, 30])) }).prefault({}),
};

/** Unknown keys are refused everywhere: a misspelt rule would be no rule. */
const facadeSchema = z.strictObject(facadeShape);

/** A facade's settings, checked, every default filled in. */
export type CompleteSettings = z.infer<typeof facadeSchema>;

/**
 * Checks settings and fills in their defaults.
 *
 * @param name what the settings are of, for messages
 * @throws ConfigurationError for the first thing that is wrong, as `name: path.of.the.key: sentence`, in one line
 */
export function completeSettings(settings: FacadeSettings, name: string): CompleteSettings {
  return parseWith(facadeSchema, withoutUndefined(settings), name);
}

/** Code writes `key: condition ? value : undefined` for what it leaves out; a configuration file cannot. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, withoutUndefined(member)]),
  );
}

/** As `completeSettings`, by a schema that has more keys than `facadeShape`. */
export function parseWith<Complete extends CompleteSettings>(
  schema: z.ZodType<Complete>,
  value: unknown,
  name: string,
): Complete {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigurationError([name, ...(issue === undefined ? [] : describe(issue, value))].join(': '));
  }
  const [problem] = problemsWithSettings(parsed.data);
  if (problem !== undefined) throw new ConfigurationError(`${name}: ${problem}`);
  return parsed.data;
}

/** What is wrong with keys that are right one by one, as `path.of.the.key: sentence`. */
function problemsWithSettings(settings: CompleteSettings): string[] {
  const { meetingsRegion, cognito, issuers, limits, logs, reconciler } = settings;
  const problems: string[] = [];
  const isKnown = meetingsRegion !== undefined && !Token.isUnresolved(meetingsRegion);
  if (isKnown && !isControlRegion(meetingsRegion)) {
    problems.push(`meetingsRegion: ${notAControlRegion(meetingsRegion)}`);
  }
  if (Object.keys(cognito).length > 0 && issuers.length > 0) {
    problems.push(
      'cognito: is given beside issuers, but nothing is made in Cognito where there are some, so it would be ignored; remove one of them',
    );
  }
  const { marginSeconds, secondLookSeconds } = reconciler;
  const requestSeconds = Math.min(limits.timeoutSeconds, MAX_REQUEST_SECONDS);
  const mostSeconds = EMPTY_MEETING_SECONDS - RECONCILER_WAITS_SECONDS - requestSeconds;
  if (marginSeconds + secondLookSeconds > mostSeconds) {
    problems.push(
      `reconciler: has ${marginSeconds + secondLookSeconds} as marginSeconds and secondLookSeconds together, so a meeting that nobody joined could be over before the second look, and what became of its batch never be known; make them ${mostSeconds} at most`,
    );
  }
  if (limits.burst < limits.requestsPerSecond) {
    problems.push(
      'limits.burst: is below requestsPerSecond, so honest callers would be throttled below the rate you chose; make it at least as much',
    );
  }
  if ((limits.preflightBurst ?? limits.burst) < (limits.preflightsPerSecond ?? limits.requestsPerSecond)) {
    problems.push(
      'limits.preflightBurst: is below preflightsPerSecond, so browsers would be throttled below the rate you chose; make it at least as much',
    );
  }
  const { reservedConcurrency, provisionedConcurrency } = limits;
  if ((provisionedConcurrency ?? 0) > (reservedConcurrency ?? Number.POSITIVE_INFINITY)) {
    problems.push(
      'limits.provisionedConcurrency: is above reservedConcurrency, which Lambda refuses, so the deployment would fail half-way; make it at most as much',
    );
  }
  if (logs.accountRole && !logs.access) {
    problems.push(
      'logs.accountRole: is given without access logs, so a setting of the whole account would change for nothing; remove it, or set logs.access',
    );
  }
  const issuersBytes = Buffer.byteLength(JSON.stringify(issuers));
  const originsBytes = Buffer.byteLength(JSON.stringify(settings.allowedOrigins));
  const availableBytes = ENVIRONMENT_LIMIT_BYTES - ENVIRONMENT_RESERVE_BYTES;
  if (issuersBytes + originsBytes > availableBytes) {
    problems.push(
      `issuers: take ${issuersBytes} bytes and allowedOrigins ${originsBytes}, but a Lambda function's environment has room for ${availableBytes} of them together, so the deployment would fail half-way; list fewer issuers, tenants, clients or origins`,
    );
  }
  return problems;
}

/** The sentence that refuses a guard of the tables. */
export function tooFewWriteUnits(): string {
  return `is below ${MIN_WRITE_UNITS_PER_SECOND}, the units that a batch of 100 attendees takes in the admission table at once, so large ones would be entered late or never; make it at least as much`;
}

/** The firewall is on in production unless told otherwise. */
export function hasFirewall({
  firewall,
  production,
}: Pick<CompleteSettings, 'firewall' | 'production'>): boolean {
  return firewall.enabled ?? production;
}

/** The identifier of the resource server that is made in Cognito. */
export function resourceServerOf({ cognito }: Pick<CompleteSettings, 'cognito'>): string {
  return cognito.resourceServer ?? 'usher';
}

/** Whether meetings can be created in a Region. */
export function isControlRegion(region: string): boolean {
  return CONTROL_REGIONS.some((control) => control === region);
}

/** The sentence that refuses a Region. */
export function notAControlRegion(region: string): string {
  return `${region} has no Chime SDK meetings endpoint, so every request would fail; set meetingsRegion to the Region that creates the meetings, one of ${CONTROL_REGIONS.join(', ')}`;
}

function describe(issue: z.core.$ZodIssue, value: unknown): string[] {
  const path = pathOf(issue.path);
  return [...(path === '' ? [] : [path]), sentenceOf(issue, value)];
}

function sentenceOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    return `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}; a misspelt rule would be no rule`;
  }
  let refused = value;
  for (const key of issue.path) {
    refused = (refused as Record<PropertyKey, unknown> | undefined)?.[key];
    // Where the text around a deploy-time part is wrong, that is what the message says.
    const isAllOfIt = Array.isArray(refused) || issue.code !== 'custom';
    if (isAllOfIt && Token.isUnresolved(refused)) {
      return 'is only known at deployment, so nobody could tell now whether it is safe and works; write out what is known at synthesis';
    }
  }
  return issue.message;
}

/** `['issuers', 0, 'scopes', 'self']` as `issuers[0].scopes.self`. */
function pathOf(path: PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function problemWithOrigin(text: string): string | undefined {
  const known = withPlaceholders(text);
  if (known === undefined) return undefined;
  if (known.includes('*') && !/^[^*]*:\*$/.test(known)) {
    return `"${text}" has a wildcard, so pages of strangers could use their visitors' tokens; list each origin by its name`;
  }
  const anyPort = known.endsWith(':*');
  const url = URL.parse(anyPort ? known.slice(0, -2) : known);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return `"${text}" is not an origin, so no browser would ever send it; write it as https://app.example.com`;
  }
  if (!isLoopback(url.hostname)) {
    if (anyPort) {
      return `"${text}" leaves the port open, so any service on that host could use its visitors' tokens; name the port (:* is for localhost, 127.0.0.1 and [::1])`;
    }
    if (url.protocol === 'http:') {
      return `"${text}" is not https, so anyone on the way could change the page and take its tokens; use https (http only on localhost, 127.0.0.1 or [::1])`;
    }
  }
  const exact = anyPort ? `${url.origin}:*` : url.origin;
  return exact === known
    ? undefined
    : `"${text}" is not what a browser sends as its origin, so it would never match; write ${exact}`;
}
