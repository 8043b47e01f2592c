import { expect, it } from '@jest/globals';
import { functionEnvironment } from '../../../local/lambda/environment.ts';

it('has the variables of the stack and of Lambda, and the addresses of the services', () => {
  const environment = functionEnvironment(
    {
      name: 'demo',
      arn: 'arn:aws:lambda:eu-west-2:123456789012:function:demo:live',
      handler: 'index.handler',
      directory: '/asset',
      environment: { TABLE: 't', AWS_REGION: 'not for the stack to say' },
      timeoutMs: 3000,
      memoryMb: 512,
      runtime: 'nodejs24.x',
      logging: { group: 'group', format: 'JSON', level: 'WARN' },
    },
    {
      region: 'eu-west-2',
      dynamodbUrl: 'http://127.0.0.1:1',
      chimeUrl: 'http://127.0.0.1:2',
      s3Url: 'http://127.0.0.1:3',
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'session' },
    },
  );
  expect(environment).toMatchObject({
    TABLE: 't',
    _HANDLER: 'index.handler',
    AWS_REGION: 'eu-west-2',
    AWS_DEFAULT_REGION: 'eu-west-2',
    AWS_LAMBDA_FUNCTION_NAME: 'demo',
    AWS_LAMBDA_FUNCTION_VERSION: '1',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_LOG_FORMAT: 'JSON',
    AWS_LAMBDA_LOG_GROUP_NAME: 'group',
    AWS_LAMBDA_LOG_LEVEL: 'WARN',
    LAMBDA_TASK_ROOT: '/asset',
    TZ: ':UTC',
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'session',
    AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1',
    AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS: 'http://127.0.0.1:2',
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:3',
  });
});
