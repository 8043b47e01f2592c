import { createChimeClient, createDynamoDBClient } from '../../lambda/aws/clients.ts';

/** The same two clients with the function's own settings, and without what those make superfluous. */
const service = { region: 'us-east-1', endpoint: 'https://example.com' };
export const clients = [createChimeClient(service), createDynamoDBClient(service)];
