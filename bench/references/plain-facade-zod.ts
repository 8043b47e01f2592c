import { z } from 'zod';
import { createFacade } from './plain-facade.ts';

const capability = z.enum(['SendReceive', 'Send', 'Receive', 'None']);
const requestBody = z.object({
  Attendees: z
    .array(
      z.object({
        ExternalUserId: z.string().min(2).max(64),
        Capabilities: z.object({ Audio: capability, Video: capability, Content: capability }).optional(),
      }),
    )
    .min(1)
    .max(100),
});

/** The plain facade with a library for the body, which adds much to its start. */
export const handler = createFacade((body) => {
  const { success, data, error } = requestBody.safeParse(body);
  return success ? { attendees: data.Attendees as { ExternalUserId: string }[] } : { wrong: error.message };
});
