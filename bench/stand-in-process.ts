import { type Latency, startStandIn } from './stand-in.ts';

// The stand-in in a process of its own, so that its work is in nobody's figures. It answers each message by one.
process.on('disconnect', () => process.exit());
const { url, setLatency, take } = await startStandIn();
process.on('message', (message: { latency: Latency } | 'take') => {
  if (message !== 'take') setLatency(message.latency);
  process.send?.(message === 'take' ? take() : 'set');
});
process.send?.(url);
