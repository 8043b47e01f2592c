import { appendFileSync } from 'node:fs';
import type { AnsweredRequest } from './gateway/server.ts';

export interface Terminal {
  /** A line that a function printed. */
  functionLine(name: string, line: string): void;
  request(answered: AnsweredRequest): void;
}

/** A readable line for each answer other than 200. */
const REQUEST_EVENT = 'request failed';

/**
 * Shows a line for each request: readable, or with `json` the functions' log lines, as CloudWatch would hold them.
 * Metrics, which are lines of a function's log too, are only in the file.
 *
 * @param logFile gets every line of the functions, as NDJSON; created readable by its owner only
 * @param print takes one line
 */
export function createTerminal({
  json,
  logFile,
  print,
}: {
  json: boolean;
  logFile: string;
  print: (line: string) => void;
}): Terminal {
  return {
    functionLine(name, line) {
      // At once, so that the next question of a test or a person finds it.
      appendFileSync(logFile, `${line}\n`, { mode: 0o600 });
      const facts = readFacts(line);
      if (facts !== undefined && '_aws' in facts) return;
      if (json) print(line);
      else if (facts === undefined) print(printable(line));
      else if (needsAttention(facts)) print(problemLine(name, facts));
    },

    request(answered) {
      if (!json) print(requestLine(answered));
      // A request that reached a function has its own line.
      else if (!answered.integrated) print(JSON.stringify(gatewayFacts(answered)));
    },
  };
}

function readFacts(line: string): Record<string, unknown> | undefined {
  try {
    const facts = JSON.parse(line);
    return typeof facts === 'object' && facts !== null ? facts : undefined;
  } catch {
    return undefined;
  }
}

function needsAttention({ level, message }: Record<string, unknown>): boolean {
  return (level === 'WARN' || level === 'ERROR') && message !== REQUEST_EVENT;
}

function problemLine(name: string, facts: Record<string, unknown>): string {
  const { level, message, errorMessage, reason } = facts;
  const detail = errorMessage ?? reason;
  return printable(
    `${clock()}  ${level}  ${name}: ${message}${detail === undefined ? '' : `: ${String(detail)}`}`,
  );
}

function requestLine({ method, path, status, durationMs, body, requestId }: AnsweredRequest): string {
  const duration = `${Math.round(durationMs)} ms`.padStart(8);
  const line = `${clock()}  ${status} ${duration}  ${method} ${path}`;
  return printable(status < 400 ? line : `${line}  ${problemOf(body)}  (request ${requestId})`);
}

/** The code and message of an error, if it has that shape. */
function problemOf(body: string): string {
  const { Code, Message, message } = readFacts(body) ?? {};
  return [Code, Message ?? message].filter((part) => typeof part === 'string').join(': ');
}

function gatewayFacts({ method, path, status, durationMs, body, requestId }: AnsweredRequest) {
  const message = 'answered by the gateway';
  return {
    timestamp: new Date().toISOString(),
    message,
    method,
    path,
    status,
    durationMs,
    requestId,
    problem: problemOf(body),
  };
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}

/** A client chooses the path of its request: no control character of it reaches a terminal. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '\u{fffd}');
}
