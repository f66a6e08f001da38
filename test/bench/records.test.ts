import { describe, expect, it } from '@jest/globals';
import { WrongArguments } from '../../bench/arguments.js';
import { isReached, ratioTable, type Ratio } from '../../bench/ratios.js';
import { recordArguments } from '../../bench/records/arguments.js';
import { CELLS, type RecordCell } from '../../bench/records/cells.js';
import {
  isRecordsReached,
  recordReport,
  type RecordFacts,
  type RecordMeasurement,
} from '../../bench/records/report.js';
import { wantedRatios, type NamedCell } from '../../bench/records/wanted.js';

const MACHINE = {
  processor: 'A processor',
  cores: 2,
  memoryBytes: 1e9,
  system: 'A system',
  node: 'v22.0.0',
  temporalServer: '1.29.1',
  date: '2026-11-26',
  loadBefore: 0,
};

/** All cells with this rate, two rounds of each. */
function factsWith(bodiesPerSecond: (cell: RecordCell) => number, scale = 1): RecordFacts {
  const measured = CELLS.flatMap((cell): readonly RecordMeasurement[] => {
    const bodies = (cell.records * cell.steps) / scale;
    const one = { cell, bodies, ms: (bodies / bodiesPerSecond(cell)) * 1_000, peakBytes: 1e8 };
    return [one, one];
  });
  return {
    machine: MACHINE,
    cells: CELLS,
    measured,
    rounds: 2,
    scale,
    missing: [],
    durationMs: 60_000,
  };
}

describe('the benchmark of record pipelines', () => {
  it('measures each cell that a ratio is made of, and none twice', () => {
    const key = ({ variant, records, steps }: NamedCell): string =>
      [variant, records, steps].join();
    const cells = CELLS.map(key);
    expect(new Set(cells).size).toBe(cells.length);
    for (const { of, to } of wantedRatios(1))
      expect(cells).toEqual(expect.arrayContaining([key(of), key(to)]));
  });

  it('misses its targets when record pipelines are as slow as what they are compared with', () => {
    const facts = factsWith(() => 1_000);
    expect(isRecordsReached(facts)).toBe(false);
    expect(recordReport(facts)).toContain(
      '| bodies/s, sync / BullMQ | 1.00 | at least 5 | missed |',
    );
  });

  it('reaches them when they are fast enough', () => {
    const rates: Partial<Record<RecordCell['variant'], number>> = {
      'per-record': 500,
      bullmq: 5_000,
    };
    const facts = factsWith(({ variant }) => rates[variant] ?? 100_000);
    expect(isRecordsReached(facts)).toBe(true);
    expect(recordReport(facts)).toContain(
      '| bodies/s, sync / one activity per record | 200 | at least 100 | reached |',
    );
  });

  it('requires nothing of a quick look, and tells its numbers of records', () => {
    const facts = factsWith(() => 1_000, 50);
    expect(isRecordsReached(facts)).toBe(true);
    expect(recordReport(facts)).toContain('sync / bare, 20,000 records, one step');
  });

  it('says what it could not measure, and leaves its ratios out', () => {
    const { measured, ...facts } = factsWith(() => 1_000);
    const text = recordReport({
      ...facts,
      measured: measured.filter(({ cell }) => cell.variant !== 'bullmq'),
      missing: ['BullMQ was not measured: there is no redis-server in PATH.'],
    });
    expect(text).toContain('BullMQ was not measured: there is no redis-server in PATH.');
    expect(text).not.toContain('/ BullMQ |');
  });

  it('takes some variants only, and refuses others than it knows', () => {
    const { cells, complete } = recordArguments(['--only', 'bare,sync']);
    expect(new Set(cells.map(({ variant }) => variant))).toEqual(new Set(['bare', 'sync']));
    expect(complete).toBe(false);
    expect(recordArguments([]).complete).toBe(true);
    expect(() => recordArguments(['--only', 'nothing'])).toThrow(WrongArguments);
    expect(() => recordArguments(['--rounds', '0'])).toThrow(WrongArguments);
  });
});

describe('a ratio', () => {
  const target = { limit: 1.2, atLeast: false };
  const estimate = { value: 1.1, low: 1, high: 1.3 };

  it('is judged by its estimate, against the side on which it is to be', () => {
    expect(isReached({ figure: 'memory', estimate, target })).toBe(true);
    expect(isReached({ figure: 'memory', estimate, target: { ...target, atLeast: true } })).toBe(
      false,
    );
    expect(isReached({ figure: 'chance', estimate })).toBe(true);
  });

  it('is told with its interval, unless it was measured once', () => {
    const once: Ratio = { figure: 'once', estimate: { value: 12.3, low: 12.3, high: 12.3 } };
    const [, , memory, single] = ratioTable([{ figure: 'memory', estimate, target }, once]);
    expect(memory).toBe('| memory | 1.10 (1.00 to 1.30) | at most 1.2 | reached |');
    expect(single).toBe('| once | 12 | – |  |');
  });
});
