import { createAuditLog } from '../audit/audit-log.ts';
import type { AuditLog } from '../audit/ports.ts';
import { createChimeMeetings } from '../aws/chime-meetings.ts';
import { AGENT_OPTIONS, createChimeClient, createDynamoDBClient } from '../aws/clients.ts';
import { connectToChime, connectToDynamoDB, EarlyAgent } from '../aws/early-connections.ts';
import { turnOfEventLoop } from '../aws/turn-of-event-loop.ts';
import type { Meetings } from '../model/ports.ts';
import type { Settings } from './environment.ts';

/** What the function calls. */
export interface Services {
  meetings: Meetings;
  auditLog: AuditLog;
}

/** Makes the clients of Chime and DynamoDB, and begins a connection of each for the first request. */
export async function startServices(settings: Settings): Promise<Services> {
  const agents = { chime: new EarlyAgent(AGENT_OPTIONS), dynamodb: new EarlyAgent(AGENT_OPTIONS) };
  const chime = createChimeClient({ region: settings.meetingsRegion }, agents.chime);
  const dynamodb = createDynamoDBClient({}, agents.dynamodb);
  await turnOfEventLoop();
  // Only where meetings are looked up: that safe call proves the connection.
  if (settings.issuers.some(({ tenantClaim }) => tenantClaim !== undefined)) {
    await connectToChime(chime, agents.chime);
  }
  await connectToDynamoDB(dynamodb, agents.dynamodb);
  return { meetings: createChimeMeetings(chime), auditLog: createAuditLog(dynamodb, settings) };
}
