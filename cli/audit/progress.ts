import type { WriteStream } from 'node:tty';

/** A line on the terminal that says how far a long answer has got. */
export interface Progress {
  /** Makes room for something else on the terminal. */
  clear(): void;
  stop(): void;
}

const EVERY_MS = 2_000;

/**
 * Shows nothing where nobody watches, nor for what is over soon.
 *
 * @param total how many there are so far
 */
export function startProgress(terminal: Pick<WriteStream, 'isTTY' | 'write'>, total: () => number): Progress {
  let shown = false;
  const timer = setInterval(() => {
    if (!terminal.isTTY) return;
    terminal.write(`\r${total()} read …`);
    shown = true;
  }, EVERY_MS);
  const clear = () => {
    if (shown) terminal.write('\r\x1b[K');
    shown = false;
  };
  return {
    clear,
    stop() {
      clearInterval(timer);
      clear();
    },
  };
}
