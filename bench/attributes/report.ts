import { machineLine, type Machine } from '../machine.js';
import type { Peak } from '../measured-process.js';
import { isReached, pairs, ratioTable, spread, whole, type Ratio } from '../ratios.js';
import { ratioOfMedians } from '../statistics.js';
import { PROMPT, type AttributeResult } from './task.js';

/** Who computes how many values. */
export interface AttributeCell {
  readonly variant: 'bare' | 'control' | 'calculation' | 'per-entity' | 'prompt' | 'pool';
  readonly entities: number;
  /** What takes long. */
  readonly once?: true;
}

/** One measured process. */
export interface AttributeMeasurement extends AttributeResult, Peak {
  readonly cell: AttributeCell;
}

/** What the report is made of. */
export interface AttributeFacts {
  readonly machine: Machine;
  readonly cells: readonly AttributeCell[];
  readonly measured: readonly AttributeMeasurement[];
}

/** Numbers of entities. */
export const SIZES = { some: 10_000, many: 100_000 } as const;

/** True when every target that was measured is reached by the estimate itself. */
export function isAttributesReached(facts: AttributeFacts): boolean {
  return ratios(facts).every(isReached);
}

/** The results as Markdown. */
export function attributeReport(facts: AttributeFacts): string {
  const rows = facts.cells.flatMap((cell) => {
    const found = measuredOf(facts, cell.variant, cell.entities);
    if (found.length === 0) return [];
    const times = (of: (one: AttributeMeasurement) => number | undefined): string => {
      const known = found.flatMap((one) => of(one) ?? []);
      return known.length === 0 ? '–' : spread(known);
    };
    return [
      `| ${cell.variant} | ${whole(cell.entities)} | ${String(found.length)} | ${times(rateOf)} | ${times(({ coldMs }) => coldMs)} | ${times(({ unchangedMs }) => unchangedMs)} | ${times(({ changedMs }) => changedMs)} | ${times(({ peakBytes }) => peakBytes / 1e6)} |`,
    ];
  });
  return [
    machineLine(facts.machine),
    '',
    '| variant | entities | runs | entities/s | cold run, ms | nothing changed, ms | 1% changed, ms | peak memory, MB |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...ratioTable(ratios(facts)),
  ].join('\n');
}

/** Prompts a second, where nothing takes time but the model. */
const IDEAL = (PROMPT.concurrency * 1_000) / PROMPT.waitMs;

type Wanted = Pick<Ratio, 'figure' | 'target'> & {
  readonly of: readonly number[];
  readonly to: readonly number[];
};

function ratios(facts: AttributeFacts): readonly Ratio[] {
  const rates = (variant: AttributeCell['variant'], entities: number): readonly number[] =>
    measuredOf(facts, variant, entities).map(rateOf);
  const { some, many } = SIZES;
  const wanted: readonly Wanted[] = [
    { figure: 'entities/s, control / bare', of: rates('control', many), to: rates('bare', many) },
    ...[many, some].map((entities) => ({
      figure: `entities/s, calculation / bare, ${whole(entities)}`,
      of: rates('calculation', entities),
      to: rates('bare', entities),
      // Of few, starting a run on Temporal is part of what is seen.
      ...(entities === many && { target: { limit: 0.5, atLeast: true } }),
    })),
    {
      figure: 'entities/s, calculation / one activity per entity',
      of: rates('calculation', many),
      to: rates('per-entity', 2_000),
      target: { limit: 100, atLeast: true },
    },
    ...[many, some].flatMap((entities) => rerunRatios(facts, entities)),
    ...[many, some].map((entities) => ({
      figure: `prompts/s, of the ideal (${String(PROMPT.concurrency)} calls of ${String(PROMPT.waitMs)} ms at once), ${whole(entities)}`,
      of: rates('prompt', entities),
      to: rates('prompt', entities).map(() => IDEAL),
      target: { limit: 0.85, atLeast: true },
    })),
    {
      figure: `prompts/s, promise pool by hand, of the ideal, ${whole(some)}`,
      of: rates('pool', some),
      to: rates('pool', some).map(() => IDEAL),
    },
    {
      figure: `prompts/s, prompt / promise pool by hand, ${whole(some)}`,
      of: rates('prompt', some),
      to: rates('pool', some),
    },
    ...(['calculation', 'prompt'] as const).map((variant) => ({
      figure: `peak memory, ${variant}, ${whole(many)} / ${whole(some)}`,
      of: measuredOf(facts, variant, many).map(({ peakBytes }) => peakBytes),
      to: measuredOf(facts, variant, some).map(({ peakBytes }) => peakBytes),
      target: { limit: 1.2, atLeast: false },
    })),
  ];
  return wanted.flatMap(({ of, to, ...about }) => {
    const found = pairs(to, of);
    return found.length === 0 ? [] : [{ ...about, estimate: ratioOfMedians(found) }];
  });
}

/** Limits of what a run takes of a cold one's time, for 100,000 entities. */
const RERUNS = {
  calculation: { unchanged: 0.1, changed: 0.15 },
  prompt: { unchanged: 0.03, changed: 0.05 },
} as const;

function rerunRatios(facts: AttributeFacts, entities: number): readonly Wanted[] {
  return (['calculation', 'prompt'] as const).flatMap((variant) => {
    const found = measuredOf(facts, variant, entities);
    const ratio = (
      what: string,
      of: (one: AttributeMeasurement) => number | undefined,
      limit: number,
    ): Wanted => ({
      figure: `time, ${variant}, ${what} / cold, ${whole(entities)}`,
      of: found.flatMap((one) => of(one) ?? []),
      to: found.map(({ coldMs }) => coldMs),
      ...(entities === SIZES.many && { target: { limit, atLeast: false } }),
    });
    const { unchanged, changed } = RERUNS[variant];
    return [
      ratio('nothing changed', ({ unchangedMs }) => unchangedMs, unchanged),
      ratio('1% changed', ({ changedMs }) => changedMs, changed),
    ];
  });
}

function measuredOf(
  { measured }: AttributeFacts,
  variant: AttributeCell['variant'],
  entities: number,
): readonly AttributeMeasurement[] {
  return measured.filter(({ cell }) => cell.variant === variant && cell.entities === entities);
}

function rateOf({ entities, coldMs }: AttributeResult): number {
  return (entities / coldMs) * 1_000;
}
