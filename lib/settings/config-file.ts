import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigurationError } from '../checks/configuration-error.ts';
import { facadeShape, isControlRegion, notAControlRegion, parseWith } from './facade-settings.ts';

/** What a configuration file has beside a facade's settings: where it goes, and what there is already. */
const configSchema = z.strictObject({
  ...facadeShape,
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
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).default({}),
  // Left out, AWS's own key for DynamoDB in the account.
  encryptionKeyArn: z.exactOptional(
    z.string().regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, {
      error:
        'is not the ARN of a KMS key, such as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    }),
  ),
  // Left out, the API is where API Gateway puts it, under the stage's name.
  domain: z.exactOptional(
    z.strictObject({
      name: z.string().regex(/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, {
        error: 'is not a domain name, such as meetings.example.com',
      }),
      certificateArn: z.string().regex(/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[A-Za-z0-9-]+$/, {
        error: "is not the ARN of a certificate of ACM, in the API's own Region",
      }),
      // Left out, the DNS record is for somebody else to make.
      hostedZone: z.exactOptional(
        z.strictObject({
          id: z.string().regex(/^[A-Z0-9]{1,32}$/, { error: 'is not the id of a Route 53 hosted zone' }),
          name: z.string().min(1),
        }),
      ),
    }),
  ),
  alarms: facadeShape.alarms
    .unwrap()
    .extend({
      // Left out, alarms are only to be seen in CloudWatch.
      topicArn: z.exactOptional(
        z.string().regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/, {
          error: 'is not the ARN of an SNS topic, such as arn:aws:sns:eu-central-1:123456789012:on-call',
        }),
      ),
    })
    .prefault({}),
});

/** The configuration of one environment, every default filled in. */
export type UsherConfig = z.infer<typeof configSchema>;

/**
 * Reads `config/<env>.json`.
 *
 * @throws ConfigurationError in one line that begins with the file's name: unreadable, no JSON, or what `parseConfig` refuses.
 */
export function loadConfig(file: string): UsherConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ConfigurationError(
      `${file}: ${missing ? 'there is no such file' : `can't be read: ${(error as Error).message}`}`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`${file}: is not JSON: ${(error as Error).message}`);
  }
  return parseConfig(value, file);
}

/**
 * Checks a configuration and fills in its defaults.
 *
 * @param value what the JSON file holds
 * @param name the file's name, for messages
 * @throws ConfigurationError for the first thing that is wrong, as `name: path.of.the.key: sentence`, in one line
 */
export function parseConfig(value: unknown, name: string): UsherConfig {
  const config = parseWith(configSchema, value, name);
  const [problem] = problemsWithRegions(config);
  if (problem !== undefined) throw new ConfigurationError(`${name}: ${problem}`);
  return config;
}

/** What cannot be used from the Region that the stack goes to, where that is known. */
function problemsWithRegions(config: UsherConfig): string[] {
  const { region, meetingsRegion, encryptionKeyArn, domain, alarms } = config;
  if (region === undefined) return [];
  const problems: string[] = [];
  if (meetingsRegion === undefined && !isControlRegion(region)) {
    problems.push(`region: ${notAControlRegion(region)}`);
  }
  const arns = {
    encryptionKeyArn,
    'domain.certificateArn': domain?.certificateArn,
    'alarms.topicArn': alarms.topicArn,
  };
  for (const [key, arn] of Object.entries(arns)) {
    const elsewhere = arn?.split(':')[3];
    if (elsewhere !== undefined && elsewhere !== region) {
      problems.push(
        `${key}: is in ${elsewhere}, but the stack goes to ${region}, where it cannot be used, so the deployment would fail half-way; name one in ${region}`,
      );
    }
  }
  return problems;
}
