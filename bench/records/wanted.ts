import { whole, type Ratio } from '../ratios.js';
import { SIZES, type RecordVariant } from './cells.js';

/** A cell, by what tells it from the others. */
export interface NamedCell {
  readonly variant: RecordVariant;
  readonly records: number;
  readonly steps: number;
}

/** A ratio that is wanted: what one cell has of another's. */
export interface WantedRatio extends Pick<Ratio, 'figure' | 'target'> {
  readonly of: NamedCell;
  readonly to: NamedCell;
  readonly value: 'rate' | 'peak';
}

const { few, some, many } = SIZES;
const PROCESSORS = ['sync', 'async'] as const;

/**
 * What the benchmark was built to find out.
 *
 * @param scale - what the numbers of records were divided by; of other numbers than those that are meant, nothing is required
 */
export function wantedRatios(scale: number): readonly WantedRatio[] {
  const all = [
    rate('control / bare', cell('control', many), cell('bare', many)),
    ...toBare(scale),
    ...PROCESSORS.flatMap((processor) => ofProcessor(processor, scale)),
    rate(
      'sync, a version always in the making / none',
      cell('sync-snapshots', many),
      cell('sync', many),
      0.7,
    ),
    rate('sync, versions as usual / none', cell('sync-versions', many), cell('sync', many)),
    rate(
      'async / promise pool, bodies that wait',
      cell('async-waiting', few),
      cell('pool-waiting', few),
      0.95,
    ),
  ];
  return scale === 1 ? all : all.map(({ target: _, ...untargeted }) => untargeted);
}

function toBare(scale: number): readonly WantedRatio[] {
  return [many, some, few].flatMap((records) =>
    [1, 3].flatMap((steps) =>
      PROCESSORS.map((processor) =>
        rate(
          `${processor} / bare, ${whole(records / scale)} records, ${steps === 1 ? 'one step' : `${String(steps)} steps`}`,
          cell(processor, records, steps),
          cell('bare', records, steps),
          // Of few records, starting a run on Temporal is most of the time: nothing is required.
          records === few ? undefined : 0.25,
        ),
      ),
    ),
  );
}

function ofProcessor(
  processor: (typeof PROCESSORS)[number],
  scale: number,
): readonly WantedRatio[] {
  const sizes = `${processor}, ${whole(many / scale)} / ${whole(some / scale)} records`;
  const [larger, smaller] = [cell(processor, many), cell(processor, some)];
  return [
    rate(`${processor} / one activity per record`, smaller, cell('per-record', 2_000), 100),
    rate(`${processor} / BullMQ`, smaller, cell('bullmq', few), 5),
    rate(sizes, larger, smaller, 0.9),
    {
      figure: `peak memory, ${sizes}`,
      of: larger,
      to: smaller,
      value: 'peak',
      target: { limit: 1.2, atLeast: false },
    },
  ];
}

function cell(variant: RecordVariant, records: number, steps = 1): NamedCell {
  return { variant, records, steps };
}

function rate(figure: string, of: NamedCell, to: NamedCell, least?: number): WantedRatio {
  return {
    figure: `bodies/s, ${figure}`,
    of,
    to,
    value: 'rate',
    ...(least !== undefined && { target: { limit: least, atLeast: true } }),
  };
}
