import type { Cell, Scenario, Variant } from './cells.js';
import type { Pair } from './statistics.js';

/** What one block of runs at once has taken, divided by their number. */
export interface BlockFigures {
  /** Wall-clock milliseconds for each run: a thousand divided by the throughput. */
  readonly msPerRun: number;
  /** CPU milliseconds of the process with worker, engine and HTTP server. */
  readonly nodeCpuMs: number;
  /** CPU milliseconds of the Temporal server, where they can be read. */
  readonly serverCpuMs: number | undefined;
}

/** Everything that was measured, cell by cell and round by round. */
export class Measurements {
  readonly #latencies = new Map<string, number[]>();
  readonly #blocks = new Map<string, BlockFigures[]>();

  addLatency(cell: Cell, ms: number): void {
    append(this.#latencies, cell, ms);
  }

  addBlock(cell: Cell, figures: BlockFigures): void {
    append(this.#blocks, cell, figures);
  }

  /** Milliseconds of single runs, one for each round. */
  latencies(scenario: Scenario, variant: Variant): readonly number[] {
    return this.#latencies.get(keyOf({ scenario, variant })) ?? [];
  }

  /** One for each round. */
  blocks(scenario: Scenario, variant: Variant): readonly BlockFigures[] {
    return this.#blocks.get(keyOf({ scenario, variant })) ?? [];
  }
}

/** CPU of both processes together. */
export function cpuMs({ nodeCpuMs, serverCpuMs }: BlockFigures): number {
  return nodeCpuMs + (serverCpuMs ?? 0);
}

/** Two cells' values, round by round. */
export function paired(first: readonly number[], second: readonly number[]): readonly Pair[] {
  return first.flatMap((value, round): Pair[] => {
    const other = second[round];
    return other === undefined ? [] : [[value, other]];
  });
}

function append<T>(lists: Map<string, T[]>, cell: Cell, value: T): void {
  const list = lists.get(keyOf(cell)) ?? [];
  lists.set(keyOf(cell), list);
  list.push(value);
}

function keyOf({ scenario, variant }: Cell): string {
  return `${scenario} ${variant}`;
}
