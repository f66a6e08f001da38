import type { RunEvent } from '../../src/progress/run-event.js';
import { formatCount } from '../flows/flow-format.js';
import { formatDuration, oneLine } from '../format.js';
import { formatCost } from './cost-format.js';

/** What has become of entities, and what it has taken. */
export interface Taken {
  /** Entities. */
  readonly processed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly unchanged: number;
  /** Null where no model was asked, as the other. */
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  /** Null where no model that was asked has a price. */
  readonly cost: number | null;
}

export const NOTHING_TAKEN: Taken = {
  processed: 0,
  failed: 0,
  skipped: 0,
  unchanged: 0,
  tokensIn: null,
  tokensOut: null,
  cost: null,
};

/** How far a run is, as its events have told last. */
export class AttributeProgress {
  #data: RunEvent['data'] = {};
  #waitsFor: string | undefined;

  /** @returns whether it is another one now */
  take({ type, data }: RunEvent): boolean {
    if (type === 'attribute_run_progress' || type === 'attribute_run_begun') {
      this.#data = data;
      this.#waitsFor = undefined;
      return true;
    }
    if (type !== 'attribute_run_waiting') return false;
    // Reasons are written for Temporal's UI, in Markdown.
    const reason = typeof data['reason'] === 'string' ? data['reason'] : '';
    this.#waitsFor = oneLine(reason.replaceAll('**', ''));
    return true;
  }

  /** Undefined while it works. */
  get waitsFor(): string | undefined {
    return this.#waitsFor;
  }

  /** Undefined before anything is known of it. */
  get fraction(): number | undefined {
    if (!('total' in this.#data)) return undefined;
    const total = numberOf(this.#data['total']);
    return total === 0 ? 1 : numberOf(this.#data['completed']) / total;
  }

  /** `10 of 20`, of entities. */
  get looked(): string {
    const { completed, total } = this.#data;
    return `${formatCount(numberOf(completed))} of ${formatCount(numberOf(total))}`;
  }

  get taken(): Taken {
    const { processed, failed, skipped, unchanged } = this.#data;
    return {
      processed: numberOf(processed),
      failed: numberOf(failed),
      skipped: numberOf(skipped),
      unchanged: numberOf(unchanged),
      tokensIn: numberOrNull(this.#data['tokens_in']),
      tokensOut: numberOrNull(this.#data['tokens_out']),
      cost: numberOrNull(this.#data['cost']),
    };
  }

  /** In the order in which they matter. */
  get numbers(): readonly string[] {
    const { entities_per_second: rate, eta_seconds: eta } = this.#data;
    const { processed, failed, cost, unchanged, skipped } = this.taken;
    return [
      ...countOf(processed, 'computed'),
      ...countOf(failed, 'failed'),
      ...(cost === null ? [] : [`cost ${formatCost(cost)}`]),
      ...countOf(unchanged, 'unchanged'),
      ...countOf(skipped, 'skipped'),
      `${formatCount(numberOf(rate))}/s`,
      ...(typeof eta === 'number' && eta > 1 ? [`${formatDuration(eta * 1_000)} to go`] : []),
    ];
  }
}

/** What several runs have taken together. */
export function takenTogether(runs: readonly Taken[]): Taken {
  return runs.reduce(
    (sum, run) => ({
      processed: sum.processed + run.processed,
      failed: sum.failed + run.failed,
      skipped: sum.skipped + run.skipped,
      unchanged: sum.unchanged + run.unchanged,
      tokensIn: together(sum.tokensIn, run.tokensIn),
      tokensOut: together(sum.tokensOut, run.tokensOut),
      cost: together(sum.cost, run.cost),
    }),
    NOTHING_TAKEN,
  );
}

/** `12 computed, cost 0.0000234, 44 tokens in, 28 out`, part by part, in the order in which they matter. */
export function takenNumbers(taken: Taken): readonly string[] {
  const { processed, failed, unchanged, skipped, cost, ...tokens } = taken;
  return [
    `${formatCount(processed)} computed`,
    ...countOf(failed, 'failed'),
    ...(cost === null ? [] : [`cost ${formatCost(cost)}`]),
    ...priceNumbers({ ...tokens, cost: null }),
    ...countOf(unchanged, 'unchanged'),
    ...countOf(skipped, 'skipped'),
  ];
}

/** `44 tokens in, 28 out, cost 0.0000234`, part by part, as far as it is known. */
export function priceNumbers({
  tokensIn,
  tokensOut,
  cost,
}: Pick<Taken, 'tokensIn' | 'tokensOut' | 'cost'>): readonly string[] {
  return [
    ...(tokensIn === null
      ? []
      : [`${formatCount(tokensIn)} tokens in`, `${formatCount(tokensOut ?? 0)} out`]),
    ...(cost === null ? [] : [`cost ${formatCost(cost)}`]),
  ];
}

function countOf(count: number, what: string): readonly string[] {
  return count === 0 ? [] : [`${formatCount(count)} ${what}`];
}

function together(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : one + other;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
