import { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { readServices } from '../../../lambda/aws/services.ts';
import { CONTROL_REGIONS } from '../../../lib/settings/regions.ts';

describe('where the services are', () => {
  // Every Region that a configuration may name.
  it.each(CONTROL_REGIONS)('is in %s where the SDK finds them', (region) => {
    const rules = { Region: region, UseFIPS: false, UseDualStack: false };
    const { chime, dynamodb } = readServices({ AWS_REGION: region }, region);
    const sdk = [new ChimeSDKMeetingsClient({ region }), new DynamoDBClient({ region })] as const;
    expect([chime, dynamodb].map(({ endpoint }) => new URL(endpoint).href)).toEqual(
      sdk.map(({ config }) => config.endpointProvider(rules).url.href),
    );
  });

  it('is each in its own Region', () => {
    expect(readServices({ AWS_REGION: 'eu-west-1' }, 'eu-central-1')).toEqual({
      chime: { region: 'eu-central-1', endpoint: 'https://meetings-chime.eu-central-1.amazonaws.com' },
      dynamodb: { region: 'eu-west-1', endpoint: 'https://dynamodb.eu-west-1.amazonaws.com' },
    });
  });

  it('is where the variables of the SDKs say, the one of the service first', () => {
    const { chime, dynamodb } = readServices(
      {
        AWS_REGION: 'eu-west-1',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:2',
      },
      'eu-central-1',
    );
    expect([chime.endpoint, dynamodb.endpoint]).toEqual(['http://127.0.0.1:1', 'http://127.0.0.1:2']);
  });

  it('is not known without the function’s own Region', () => {
    expect(() => readServices({}, 'eu-central-1')).toThrow('AWS_REGION');
  });
});
