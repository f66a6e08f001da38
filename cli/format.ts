import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import type { ExecutionStatus } from '../src/progress/status.js';

/** A length of time for a person: `4 ms`, `1.2 s`, `2 min 3 s`, `1 h 5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${String(Math.max(0, Math.round(ms)))} ms`;
  const seconds = ms / 1_000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3_600) return twoUnits(whole, 'min', 's');
  const minutes = Math.round(whole / 60);
  return minutes < 24 * 60
    ? twoUnits(minutes, 'h', 'min')
    : `${(minutes / 60 / 24).toFixed(1)} days`;
}

function twoUnits(small: number, largeUnit: string, smallUnit: string): string {
  const rest = small % 60;
  return `${String(Math.floor(small / 60))} ${largeUnit}${rest === 0 ? '' : ` ${String(rest)} ${smallUnit}`}`;
}

/** A moment in the machine's own time zone: `2026-11-21 11:49:12`. */
export function formatTime(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[two(date.getHours()), two(date.getMinutes()), two(date.getSeconds())].join(':')}`;
}

/** A status in its colour. */
export function formatStatus(status: ExecutionStatus): string {
  switch (status) {
    case 'completed':
      return pc.green(status);
    case 'pending':
    case 'running':
      return pc.cyan(status);
    case 'cancelled':
      return pc.yellow(status);
    case 'failed':
    case 'terminated':
    case 'timed_out':
      return pc.red(status);
  }
}

/** Rows in columns, as wide as their widest cell. The last column is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => visibleWidth(row[column] ?? ''))),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

/** A text with blanks up to a width; colours take no room. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - visibleWidth(text)));
}

/** How many columns a text takes on a terminal, as far as its characters are of the ordinary kind. */
export function visibleWidth(text: string): number {
  return charactersOf(stripVTControlCharacters(text)).length;
}

/** A text that fits a width, cut with an ellipsis where it does not. Must hold no colours. */
export function truncate(text: string, width: number): string {
  const characters = charactersOf(text);
  return characters.length <= width
    ? text
    : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** A text of any origin as one line that fits a width: it may hold anything, and a terminal obeys control characters. */
export function oneLine(text: string, width = Infinity): string {
  return truncate(stripVTControlCharacters(text).replace(/\s+/g, ' ').trim(), width);
}

const segmenter = new Intl.Segmenter();

function charactersOf(text: string): readonly string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}
