import { cpus, loadavg, totalmem } from 'node:os';
import { table } from 'table';
import type { Summary } from './statistics.ts';

/** One line of the result. */
export interface Row {
  section: string;
  name: string;
  unit: string;
  median: number;
  /** Absent where there is only one value, as of a file's size. */
  quartiles?: [number, number];
  /** Against a reference of the same run. */
  ratio?: number;
  reference?: string;
  /** What the ratio, or the value of a row without one, must not exceed, and what it should reach. */
  atMost?: number;
  aim?: number;
}

export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  node: string;
  platform: string;
  /** Processes that wanted a core, on average over a minute: before and after. Above the number of cores, all is noise. */
  load: [number, number];
}

export interface Report {
  startedAt: string;
  seconds: number;
  quick: boolean;
  machine: Machine;
  rows: Row[];
}

export const measured = (
  section: string,
  name: string,
  unit: string,
  { median, quartiles }: Summary,
): Row => ({
  section,
  name,
  unit,
  median,
  quartiles,
});

export const exact = (section: string, name: string, unit: string, value: number): Row => ({
  section,
  name,
  unit,
  median: value,
});

/** A row with its ratio to another one. */
export function against(
  row: Row,
  { name, median }: Row,
  limits: { atMost?: number; aim?: number } = {},
): Row {
  return { ...row, ratio: row.median / median, reference: name, ...limits };
}

/** @returns what is above its limit */
export function missed(rows: readonly Row[]): Row[] {
  return rows.filter(({ median, ratio = median, atMost }) => atMost !== undefined && ratio > atMost);
}

export function machine(loadBefore: number): Machine {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    load: [loadBefore, loadavg()[0] ?? Number.NaN],
  };
}

/** The whole result as people read it. */
export function asText({ startedAt, seconds, machine, rows }: Report): string {
  const { cpu, cores, memoryGb, node, platform, load } = machine;
  const head = ['what', 'median', 'quartiles', 'unit', 'ratio', 'at most', 'aim', 'against'];
  const lines = [...Map.groupBy(rows, ({ section }) => section)].flatMap(([section, ofSection]) => [
    [section.toUpperCase(), ...head.slice(1).map(() => '')],
    ...ofSection.map(cells),
  ]);
  const over = missed(rows);
  return [
    table([head, ...lines], {
      columns: Object.fromEntries([1, 2, 4, 5, 6].map((column) => [column, { alignment: 'right' }])),
      drawHorizontalLine: (index, count) => index <= 1 || index === count || lines[index - 1]?.[1] === '',
    }),
    `${startedAt}, ${Math.round(seconds)} s, ${platform}, Node ${node}, ${cores} cores of ${cpu}, ${memoryGb} GB,`,
    `load ${load.map((value) => value.toFixed(1)).join(' before, ')} after. Every answer was checked.`,
    over.length === 0
      ? 'Every ratio is within its limit.'
      : `Over the limit: ${over.map(nameOf).join('; ')}.`,
    '',
  ].join('\n');
}

function nameOf({ section, name }: Row): string {
  return `${section}: ${name}`;
}

function cells({ name, unit, median, quartiles, ratio, atMost, aim, reference }: Row): string[] {
  return [
    `  ${name}`,
    number(median),
    quartiles === undefined ? '' : quartiles.map(number).join(' – '),
    unit,
    ratio === undefined ? '' : ratio.toFixed(2),
    atMost === undefined ? '' : String(atMost),
    aim === undefined ? '' : String(aim),
    reference ?? '',
  ];
}

function number(value: number): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
