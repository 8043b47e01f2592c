import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startProgress } from '../../../cli/audit/progress.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, write: (text: unknown) => written.push(String(text)) > 0 };
}

describe('progress', () => {
  it('shows the progress of a long answer on a terminal, and clears it', () => {
    const screen = terminal(true);
    let total = 7;
    const progress = startProgress(screen, () => total);
    jest.advanceTimersByTime(1_999);
    progress.clear();
    expect(screen.written).toEqual([]);

    jest.advanceTimersByTime(1);
    expect(screen.written).toEqual(['\r7 read …']);
    progress.clear();
    progress.clear();
    expect(screen.written).toEqual(['\r7 read …', '\r\u001b[K']);
    total = 9;
    jest.advanceTimersByTime(2_000);
    progress.stop();
    jest.advanceTimersByTime(2_000);
    expect(screen.written.slice(2)).toEqual(['\r9 read …', '\r\u001b[K']);
  });

  it('shows nothing without a terminal', () => {
    const file = terminal(false);
    const progress = startProgress(file, () => 1);
    jest.advanceTimersByTime(10_000);
    progress.stop();
    expect(file.written).toEqual([]);
  });
});
