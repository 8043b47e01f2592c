import type { FunctionDescription } from './function-description.ts';

/** The services of a function, and its identity to them. */
export interface Services {
  region: string;
  dynamodbUrl: string;
  chimeUrl: string;
  /** Omitted if none of the functions calls it. */
  s3Url?: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
}

const NO_FILE = '/dev/null';

/**
 * The complete environment of a function's processes: its own variables, those that Lambda sets
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), and the addresses of the services
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html). It has nothing of this process's
 * environment, so that a variable missing in the stack is missing here too.
 */
export function functionEnvironment(
  { name, arn, handler, directory, environment, memoryMb, runtime, logging }: FunctionDescription,
  { region, dynamodbUrl, chimeUrl, s3Url, credentials }: Services,
): Record<string, string> {
  return {
    ...environment,
    _HANDLER: handler,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_FUNCTION_NAME: name,
    // Invoked by an alias, a function is a published version: ARNs with an alias have an eighth part.
    AWS_LAMBDA_FUNCTION_VERSION: arn.split(':').length > 7 ? '1' : '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: logging.group,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    ...(logging.format && { AWS_LAMBDA_LOG_FORMAT: logging.format }),
    ...(logging.level && { AWS_LAMBDA_LOG_LEVEL: logging.level }),
    AWS_REGION: region,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    LAMBDA_TASK_ROOT: directory,
    LANG: 'en_US.UTF-8',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    TZ: ':UTC',
    // Lambda lacks these files, and the SDK would read those of this machine's user.
    AWS_CONFIG_FILE: NO_FILE,
    AWS_SHARED_CREDENTIALS_FILE: NO_FILE,
    AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS: chimeUrl,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodbUrl,
    ...(s3Url !== undefined && { AWS_ENDPOINT_URL_S3: s3Url }),
  };
}

/** Credentials that local services accept. */
export const DUMMY_CREDENTIALS: Services['credentials'] = {
  accessKeyId: 'LOCAL',
  secretAccessKey: 'local',
  sessionToken: 'local',
};

/** The credentials of this process's user, if any. */
export function callersCredentials(env: NodeJS.ProcessEnv): Services['credentials'] {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken = '',
  } = env;
  return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken } : DUMMY_CREDENTIALS;
}
