import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isLoopback, issuersSchema } from './issuer-config.ts';
import { Refusal } from './refusal.ts';

/** The Regions that have a Chime SDK meetings endpoint (a meeting's control Region, not its media Region). */
const CONTROL_REGIONS = [
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

const origin = z.string().superRefine((text, context) => {
  const message = objectionToOrigin(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** Unknown keys are refused everywhere: a misspelt rule would be no rule. */
const configSchema = z.strictObject({
  stackName: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, {
    error: 'CloudFormation allows letters, digits and hyphens, a letter first, at most 128 characters',
  }),
  // Left out, Region and account are those of the CDK command line.
  region: z.exactOptional(
    z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'is not the name of a Region, such as eu-central-1' }),
  ),
  account: z.exactOptional(
    z.string().regex(/^\d{12}$/, { error: 'an AWS account is 12 digits, as a string' }),
  ),
  // Left out, the Region that the stack is in.
  meetingsRegion: z.exactOptional(z.string()),
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).default({}),
  stageName: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,128}$/, { error: 'API Gateway allows letters, digits, hyphens and underscores' })
    .default('v1'),
  allowedOrigins: z.array(origin).default([]),
  // None means that the stack brings a Cognito user pool, which `cognito` is about.
  issuers: issuersSchema.default([]),
  cognito: z.exactOptional(
    z.strictObject({
      domainPrefix: z.string().regex(/^(?!.*(?:aws|amazon|cognito))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
        error:
          'Cognito allows 1 to 63 lower-case letters, digits and inner hyphens, without the words aws, amazon and cognito',
      }),
    }),
  ),
  // Left out, audit records are kept for ever. Seven days at least: an intent gets its expiry when it is written and can
  // never get another, so it has to outlast any time in which it may still be open.
  audit: z.strictObject({ retentionDays: z.exactOptional(z.number().int().min(7).max(36_500)) }).prefault({}),
  reconciler: z
    .strictObject({
      // How long after an intent's deadline its handler and Chime have to finish. A handler's process ends at most 13
      // seconds after the deadline; below 30 seconds is for tests, on one machine.
      marginSeconds: z.number().int().min(1).max(240).default(45),
      // A meeting in which nobody is connected ends after 5 minutes: by then, margin and second look should be over.
      secondLookSeconds: z.number().int().min(1).max(240).default(60),
    })
    .prefault({}),
  // Left out, alarms are only to be seen in CloudWatch.
  alarms: z
    .strictObject({
      topicArn: z.exactOptional(
        z.string().regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/, {
          error: 'is not the ARN of an SNS topic, such as arn:aws:sns:eu-central-1:123456789012:on-call',
        }),
      ),
    })
    .prefault({}),
  logs: z
    .strictObject({
      retentionDays: z
        .literal(LOG_RETENTION_DAYS, {
          error: `CloudWatch Logs knows only these numbers of days: ${LOG_RETENTION_DAYS.join(', ')}`,
        })
        .default(30),
      level: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO'),
      // Off, as API Gateway writes access logs only once the account and Region have been given a role for its logs
      // (API Gateway console, Settings), and a stage that asks for them without one fails to deploy.
      access: z.boolean().default(false),
    })
    .prefault({}),
  limits: z
    .strictObject({
      requestsPerSecond: z.number().int().min(1).max(10_000).default(100),
      burst: z.number().int().min(1).max(5_000).default(200),
      memoryMb: z.number().int().min(128).max(10_240).default(1024),
      // API Gateway gives up after 29 seconds: the function must end before, or its answer is lost. Of what it has, 3.5
      // seconds are kept for recording the outcome and for the answer.
      timeoutSeconds: z.number().int().min(5).max(28).default(20),
    })
    .prefault({}),
});

/** The configuration of one environment, every default filled in. */
export type UsherConfig = z.infer<typeof configSchema>;

/**
 * Reads `config/<env>.json`.
 *
 * @throws Refusal in one line that begins with the file's name: unreadable, no JSON, or what `parseConfig` refuses.
 */
export function loadConfig(file: string): UsherConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Refusal(
      `${file}: ${missing ? 'there is no such file' : `can't be read: ${(error as Error).message}`}`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${file}: is not JSON: ${(error as Error).message}`);
  }
  return parseConfig(value, file);
}

/**
 * Checks a configuration and fills in its defaults.
 *
 * @param value what the JSON file holds
 * @param name the file's name, for messages
 * @throws Refusal for the first thing that is wrong, as `name: path.of.the.key: sentence`, in one line
 */
export function parseConfig(value: unknown, name: string): UsherConfig {
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Refusal([name, ...(issue === undefined ? [] : describe(issue))].join(': '));
  }
  const [objection] = objectionsToConfig(parsed.data);
  if (objection !== undefined) throw new Refusal(`${name}: ${objection}`);
  return parsed.data;
}

/** What is wrong with keys that are right one by one, as `path.of.the.key: sentence`. */
function objectionsToConfig(config: UsherConfig): string[] {
  const objections: string[] = [];
  const meetingsRegion = config.meetingsRegion ?? config.region;
  if (meetingsRegion !== undefined && !isControlRegion(meetingsRegion)) {
    const key = config.meetingsRegion === undefined ? 'region' : 'meetingsRegion';
    objections.push(`${key}: ${notAControlRegion(meetingsRegion)}`);
  }
  if (config.cognito !== undefined && config.issuers.length > 0) {
    objections.push(
      'cognito: is given beside issuers, but a pool is only made where there are none, so it would be ignored; remove one of them',
    );
  }
  if (config.limits.burst < config.limits.requestsPerSecond) {
    objections.push(
      'limits.burst: is below requestsPerSecond, so honest callers would be throttled below the rate you chose; make it at least as much',
    );
  }
  const issuersBytes = Buffer.byteLength(JSON.stringify(config.issuers));
  const originsBytes = Buffer.byteLength(JSON.stringify(config.allowedOrigins));
  const availableBytes = ENVIRONMENT_LIMIT_BYTES - ENVIRONMENT_RESERVE_BYTES;
  if (issuersBytes + originsBytes > availableBytes) {
    objections.push(
      `issuers: take ${issuersBytes} bytes and allowedOrigins ${originsBytes}, but a Lambda function's environment has room for ${availableBytes} of them together, so the deployment would fail half-way; list fewer issuers, tenants, clients or origins`,
    );
  }
  return objections;
}

/** Whether meetings can be created in a Region. */
export function isControlRegion(region: string): boolean {
  return CONTROL_REGIONS.some((control) => control === region);
}

/** The sentence that refuses a Region. */
export function notAControlRegion(region: string): string {
  return `${region} has no Chime SDK meetings endpoint, so every request would fail; set meetingsRegion to the Region that creates the meetings, one of ${CONTROL_REGIONS.join(', ')}`;
}

function describe(issue: z.core.$ZodIssue): string[] {
  const path = pathOf(issue.path);
  const sentence =
    issue.code === 'unrecognized_keys'
      ? `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}; a misspelt rule would be no rule`
      : issue.message;
  return [...(path === '' ? [] : [path]), sentence];
}

/** `['issuers', 0, 'scopes', 'self']` as `issuers[0].scopes.self`. */
function pathOf(path: PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function objectionToOrigin(text: string): string | undefined {
  if (text.includes('*') && !/^[^*]*:\*$/.test(text)) {
    return `"${text}" has a wildcard, so pages of strangers could use their visitors' tokens; list each origin by its name`;
  }
  const anyPort = text.endsWith(':*');
  const url = URL.parse(anyPort ? text.slice(0, -2) : text);
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
  return exact === text
    ? undefined
    : `"${text}" is not what a browser sends as its origin, so it would never match; write ${exact}`;
}
