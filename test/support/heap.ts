import { setTimeout as pause } from 'node:timers/promises';

/** Where Node listens after SIGUSR1 (https://nodejs.org/en/learn/getting-started/debugging). */
const INSPECTOR_URL = 'http://127.0.0.1:9229';

/** Bytes that a process of Node cannot let go of: its heap after a full garbage collection, asked from outside. */
export async function heldBytes(pid: number): Promise<number> {
  process.kill(pid, 'SIGUSR1');
  const inspector = await connect();
  const { result } = (await inspector.call('Runtime.evaluate', { expression: 'process.pid' })) as {
    result: { value: number };
  };
  if (result.value !== pid) throw new Error('The inspector that listens is of another process.');
  await inspector.call('HeapProfiler.collectGarbage');
  const { usedSize } = (await inspector.call('Runtime.getHeapUsage')) as { usedSize: number };
  inspector.close();
  return usedSize;
}

async function connect() {
  const socket = new WebSocket(await debuggerUrl());
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error('The inspector does not answer.'));
  });
  let lastId = 0;
  return {
    call(method: string, params: object = {}): Promise<unknown> {
      const id = ++lastId;
      return new Promise((resolve) => {
        socket.onmessage = ({ data }) => {
          const message = JSON.parse(String(data));
          if (message.id === id) resolve(message.result);
        };
        socket.send(JSON.stringify({ id, method, params }));
      });
    },
    close: () => socket.close(),
  };
}

async function debuggerUrl(): Promise<string> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      const [target] = (await (await fetch(`${INSPECTOR_URL}/json`)).json()) as {
        webSocketDebuggerUrl: string;
      }[];
      if (target !== undefined) return target.webSocketDebuggerUrl;
    } catch {
      // It takes a moment to listen.
    }
    await pause(50);
  }
  throw new Error('The inspector does not listen.');
}
