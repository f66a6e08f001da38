import type { Scenario } from './cells.js';
import type { EventStreamsResult } from './event-streams.js';
import { cpuMs, paired, type BlockFigures, type Measurements } from './measurements.js';
import { differenceOfMedians, ratioOfMedians, type Estimate } from './statistics.js';

/** How much of hand-written code's figure each of ours may be. */
const LIMITS = { overhead: 1.1, fused: 0.5, httpMs: 2 } as const;

/** `within noise`: the estimate is above its limit, but the interval reaches below, which is what counts as reached. */
export type Verdict = 'reached' | 'reached, within noise' | 'missed';

/** Something that the benchmark was built to find out. */
export interface Target {
  readonly scenario: Scenario;
  /** What is compared: `latency p50, engine / raw`. */
  readonly figure: string;
  readonly estimate: Estimate;
  readonly limit: number;
  readonly unit: '×' | 'ms';
  readonly verdict: Verdict;
}

/** Every figure that a comparison with hand-written code is made of. */
export const FIGURES = ['latency', 'throughput', 'cpu'] as const;

/** One of {@link FIGURES}. */
export type Figure = (typeof FIGURES)[number];

/** What a figure is called. All are times, so that less is better: throughput is compared as time for each run. */
export const FIGURE_TITLES: Readonly<Record<Figure, string>> = {
  latency: 'latency p50',
  throughput: 'time per run at 50 at once',
  cpu: 'CPU per run',
};

/** How many times a cell's figure is that of hand-written code. */
export function ratioToRaw(
  measurements: Measurements,
  scenario: Scenario,
  variant: 'control' | 'engine' | 'http',
  figure: Figure,
): Estimate {
  const values = (of: 'raw' | typeof variant): readonly number[] =>
    figure === 'latency'
      ? measurements.latencies(scenario, of)
      : measurements.blocks(scenario, of).map(figure === 'cpu' ? cpuMs : timePerRun);
  return ratioOfMedians(paired(values('raw'), values(variant)));
}

/** What the scenarios that were measured say about their targets. */
export function targetsOf(
  measurements: Measurements,
  scenarios: readonly Scenario[],
): readonly Target[] {
  return scenarios.flatMap((scenario) => [
    ...(scenario === 'b' ? fusedTargets(measurements) : overheadTargets(measurements, scenario)),
    httpTarget(measurements, scenario),
  ]);
}

/** True when every client of event streams got every event once and in order. */
export function isComplete({ lost, repeated, outOfOrder }: EventStreamsResult): boolean {
  return lost + repeated + outOfOrder === 0;
}

function overheadTargets(measurements: Measurements, scenario: Scenario): readonly Target[] {
  return FIGURES.map((figure) =>
    target(
      {
        scenario,
        figure: `${FIGURE_TITLES[figure]}, engine / raw`,
        estimate: ratioToRaw(measurements, scenario, 'engine', figure),
        unit: '×',
      },
      LIMITS.overhead,
    ),
  );
}

function fusedTargets(measurements: Measurements): readonly Target[] {
  const estimate = ratioToRaw(measurements, 'b', 'engine', 'latency');
  return [
    target(
      { scenario: 'b', figure: `${FIGURE_TITLES.latency}, engine / raw`, estimate, unit: '×' },
      LIMITS.fused,
    ),
  ];
}

function httpTarget(measurements: Measurements, scenario: Scenario): Target {
  const pairs = paired(
    measurements.latencies(scenario, 'engine'),
    measurements.latencies(scenario, 'http'),
  );
  return target(
    {
      scenario,
      figure: 'latency p50, http − engine',
      estimate: differenceOfMedians(pairs),
      unit: 'ms',
    },
    LIMITS.httpMs,
  );
}

function target(found: Omit<Target, 'limit' | 'verdict'>, limit: number): Target {
  const { value, low } = found.estimate;
  return {
    ...found,
    limit,
    verdict: value <= limit ? 'reached' : low <= limit ? 'reached, within noise' : 'missed',
  };
}

function timePerRun({ msPerRun }: BlockFigures): number {
  return msPerRun;
}
