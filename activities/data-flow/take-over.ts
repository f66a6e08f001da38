import { setTimeout as delay } from 'node:timers/promises';
import { CatalogNewer } from '../../adapters/catalog/catalog-errors.js';
import type { DataFlowCatalog } from '../../src/data-flow/catalog.js';
import { FenceLost, type FlowPosition } from '../../src/data-flow/position.js';
import type { MoveTask } from '../../src/data-flow/run.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { ActivityDependencies } from '../dependencies.js';
import { flowDependencies } from './flow-code.js';

/** A catalog that is away comes back: an attempt waits so long for it, since it is nothing that the flow could help. */
const AWAY_MS = 120_000;
const LOOK_AGAIN_MS = 500;

/** Another attempt can be faster so often: it ends as soon as it learns that it was given up. */
const TRIES = 10;

/** What an attempt begins with. */
export interface TakenOver {
  readonly catalog: DataFlowCatalog;
  /** As the catalog has it. Its `runSeq` is still that of the run that moved it last. */
  readonly known: FlowPosition;
}

/**
 * Takes a flow over from an attempt before this one, which may be slow and not lost: the catalog refuses its next batch. Waits
 * for a catalog that is away.
 *
 * @throws a permanent error of type `RunClosed` when the run is over
 */
export async function takeOver(
  deps: ActivityDependencies,
  task: MoveTask,
  signal: AbortSignal,
): Promise<TakenOver> {
  for (const until = Date.now() + AWAY_MS; ;) {
    try {
      const catalog = await flowDependencies(deps).catalog();
      const known = await fenced(catalog, task);
      if (known !== undefined) return { catalog, known };
      break;
    } catch (error) {
      if (error instanceof FenceLost || error instanceof CatalogNewer) throw error;
      if (Date.now() >= until) throw error;
      deps.log.warn({ err: error, flow: task.flow }, 'the catalog is away; the flow waits for it');
    }
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  }
  throw over(task);
}

/** The position at a step of its own; undefined when the run is over. */
async function fenced(
  catalog: DataFlowCatalog,
  { flow, runSeq }: MoveTask,
): Promise<FlowPosition | undefined> {
  const ref = { flow, runSeq };
  for (let tries = 0; tries < TRIES; tries += 1) {
    const known = await catalog.position(ref);
    if (known === undefined) return undefined;
    // Not the run's number: it tells a sink that keeps the position whether it is ahead of the catalog.
    const to = { ...known, step: known.step + 1 };
    if (await catalog.advance(ref, { from: known.step, to, rejections: [], now: new Date() }))
      return to;
  }
  throw new FenceLost(flow, runSeq);
}

/** The run was closed while it went on: by an operator, or by a reconciliation that took it for lost. */
function over({ flow, runSeq }: MoveTask): Error {
  const message = `Run ${String(runSeq)} of "${flow}" was closed in the catalog while it went on.`;
  return permanent(message, undefined, 'RunClosed');
}
