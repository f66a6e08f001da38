import { setTimeout as delay } from 'node:timers/promises';
import { CatalogUnavailable } from '../../adapters/catalog/catalog-errors.js';
import { isCatalogAway } from '../../adapters/catalog/catalog-away.js';
import type { DataFlowCatalog, FlowRunRef } from '../../src/data-flow/catalog.js';
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
 * Takes a flow over from an attempt before this one, which may be slow and not lost: the catalog refuses its next batch. To be
 * done before a sink is opened, which may cut off what that attempt has written. Waits for a catalog that is away.
 *
 * @throws a permanent error of type `RunClosed` when the run is over
 */
export async function takeOver(
  deps: ActivityDependencies,
  { flow, runSeq }: MoveTask,
  signal: AbortSignal,
): Promise<TakenOver> {
  const ref = { flow, runSeq };
  for (const until = Date.now() + AWAY_MS; ;) {
    try {
      const catalog = await flowDependencies(deps).catalog();
      return { catalog, known: await fenced(catalog, ref) };
    } catch (error) {
      const away = error instanceof CatalogUnavailable || isCatalogAway(error);
      if (!away || Date.now() >= until) throw error;
      deps.log.warn({ err: error, flow }, 'the catalog is away; the flow waits for it');
    }
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  }
}

/** The position at a step of its own. */
async function fenced(catalog: DataFlowCatalog, ref: FlowRunRef): Promise<FlowPosition> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const known = await catalog.position(ref);
    if (known === undefined) throw over(ref);
    // Not the run's number: it tells a sink that keeps the position whether it is ahead of the catalog.
    const to = { ...known, step: known.step + 1 };
    if (await catalog.advance(ref, { from: known.step, to, rejections: [], now: new Date() }))
      return to;
  }
  throw new FenceLost(ref.flow, ref.runSeq);
}

/** The run was closed while it went on: by an operator, or by a reconciliation that took it for lost. */
function over({ flow, runSeq }: FlowRunRef): Error {
  const message = `Run ${String(runSeq)} of "${flow}" was closed in the catalog while it went on.`;
  return permanent(message, undefined, 'RunClosed');
}
