import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { createFacade } from './plain-facade.ts';

const dynamodb = new DynamoDB();

/** The plain facade that keeps its meetings in a table of its own, as many public samples do: a second client. */
export const handler = createFacade(async (MeetingId = '') => {
  const { Item } = await dynamodb.getItem({ TableName: 'meetings', Key: { MeetingId: { S: MeetingId } } });
  return Item?.['TenantIds']?.SS ?? [];
});
