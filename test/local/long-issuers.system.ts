import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunningSystem, startSystem } from '../support/local.ts';

const config = JSON.parse(readFileSync('config/local.json', 'utf8'));

/** With so many tenants that the function's environment has no room for the issuers. */
const withTenants = (...tenants: string[]): object => ({
  ...config,
  issuers: [
    {
      ...config.issuers[0],
      tenants: [...tenants, ...Array.from({ length: 1_000 }, (_, index) => `customer-${index}`)],
    },
  ],
});

describe('issuers in a file beside the code', () => {
  let system: RunningSystem;

  beforeAll(async () => {
    system = await startSystem({ config: withTenants('acme') });
  });

  afterAll(() => system.stop());

  const admit = async (...tokenArguments: string[]) => {
    const { apiUrl, meetingId } = system.environment;
    return fetch(`${apiUrl}/meetings/${meetingId}/attendees?operation=batch-create`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await system.token(...tokenArguments)}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ Attendees: [{ ExternalUserId: 'someone' }] }),
    });
  };

  it('admit and deny as those in the environment do', async () => {
    expect((await admit()).status).toBe(200);
    expect((await admit('--claim', 'tenant=umbrella')).status).toBe(403);
  });
});
