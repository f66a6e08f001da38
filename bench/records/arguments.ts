import { parseArgs } from 'node:util';
import { positive, WrongArguments } from '../arguments.js';
import { CELLS, VARIANTS, type RecordCell } from './cells.js';

/** What the benchmark of record pipelines is asked for. */
export interface RecordArguments {
  readonly rounds: number;
  /** Divides the numbers of records. */
  readonly scale: number;
  readonly cells: readonly RecordCell[];
  /** No round is begun that would not end by then. */
  readonly maxMinutes: number;
  /** Everything, at full size: only then, and with enough rounds, is the page of results written. */
  readonly complete: boolean;
}

const DEFAULTS = { rounds: 5, scale: 1, minutes: 10 } as const;

/** Fewest rounds that the page of results is written for: there may be time for less than were asked for. */
export const COMPLETE_ROUNDS = 3;

/** How to call the benchmark. */
export const USAGE = `npm run bench:records -- [options]

  --rounds N    how often everything is measured (default ${String(DEFAULTS.rounds)})
  --scale N     divide the numbers of records by N, for a quick look (default ${String(DEFAULTS.scale)})
  --only LIST   some of ${Object.keys(VARIANTS).join(', ')} (default: all)
  --minutes N   begin no round that would not end within N minutes (default ${String(DEFAULTS.minutes)})

All variants at full size, in at least ${String(COMPLETE_ROUNDS)} rounds, are written into docs/performance.md.`;

/** @throws {@link WrongArguments} */
export function recordArguments(args: readonly string[]): RecordArguments {
  const { rounds, scale, only, minutes } = parse(args);
  const variants = only?.split(',').map((name) => name.trim());
  const unknown = variants?.find((name) => !Object.hasOwn(VARIANTS, name));
  if (unknown !== undefined)
    throw new WrongArguments(`--only has "${unknown}", which is no variant`);
  const divisor = positive('scale', scale);
  return {
    rounds: positive('rounds', rounds),
    scale: divisor,
    cells: CELLS.filter(({ variant }) => variants?.includes(variant) ?? true),
    maxMinutes: positive('minutes', minutes),
    complete: divisor === 1 && variants === undefined,
  };
}

function parse(args: readonly string[]): {
  readonly rounds: string;
  readonly scale: string;
  readonly only?: string | undefined;
  readonly minutes: string;
} {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string', default: String(DEFAULTS.rounds) },
        scale: { type: 'string', default: String(DEFAULTS.scale) },
        only: { type: 'string' },
        minutes: { type: 'string', default: String(DEFAULTS.minutes) },
      },
    }).values;
  } catch (error) {
    throw new WrongArguments(error instanceof Error ? error.message : String(error));
  }
}
