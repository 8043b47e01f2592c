import type { Link } from './link.ts';
import { type Service, type StandIn, startStandIn } from './stand-in.ts';

/** A call of one of the stand-in's functions, or of one of its links'. */
export interface ToStandIn {
  service?: Service;
  name: keyof StandIn | keyof Link;
  args: unknown[];
}

// The stand-in in a process of its own, so that its work is in no one's figures. It answers each message by one.
process.on('disconnect', () => process.exit());
const standIn = await startStandIn();
const { urls, certificate, links } = standIn;
process.on('message', ({ service, name, args }: ToStandIn) => {
  const target = service === undefined ? standIn : links[service];
  const call = target[name as keyof typeof target] as (...args: unknown[]) => unknown;
  process.send?.({ result: call(...args) });
});
process.send?.({ urls, certificate });
