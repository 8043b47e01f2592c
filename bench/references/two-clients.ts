import { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** The floor of a start: the two SDK clients and nothing else, bundled as lean as the function is. */
export const clients = [new ChimeSDKMeetingsClient({}), new DynamoDBClient({})];
