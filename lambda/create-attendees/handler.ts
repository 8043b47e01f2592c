import { turnOfEventLoop } from '../aws/turn-of-event-loop.ts';
import { createIssuerKeys, prefetchKeys } from '../oidc/issuer-keys.ts';
import { readSettings } from './environment.ts';

// The only place that reads the environment and the clock: everything else is handed them. It loads in stages, so that what
// waits for the network begins first and goes on while the rest is compiled (docs/decisions/0029-loaded-in-stages.md).
const settings = readSettings(process.env);
const clock = { now: Date.now };

// Only a request reports keys that could not be fetched, and requests come when all of this is over.
const keys = createIssuerKeys(clock, (event, facts) => logger.warn(event, facts));
prefetchKeys(settings.issuers, keys);
await turnOfEventLoop();

const { startServices } = await import('./start-services.ts');
await turnOfEventLoop();
const services = await startServices(settings);
await turnOfEventLoop();

const { compose } = await import('./compose.ts');
await turnOfEventLoop();
const { handler, logger } = await compose({ settings, clock, keys, ...services });

export { handler };
