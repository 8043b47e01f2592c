import type { WriteStream } from 'node:tty';

/** A line on the terminal with the progress of a long answer. */
export interface Progress {
  /** Clears the line for other output. */
  clear(): void;
  stop(): void;
}

const EVERY_MS = 2_000;

/**
 * Shows nothing without a terminal, nor for a short answer.
 *
 * @param total the current count
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
