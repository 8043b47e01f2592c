import { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** The minimum of a start: the two SDK clients and nothing else, bundled as lean as the function. */
export const clients = [new ChimeSDKMeetingsClient({}), new DynamoDBClient({})];
