import type {
  Claim,
  ClaimRequest,
  DataFlowCatalog,
  FlowDeclaration,
  FlowRunRecord,
  FlowRunRef,
} from '../../../src/data-flow/catalog.js';
import type { FlowPosition } from '../../../src/data-flow/position.js';
import { NO_ROWS, type RowCounts } from '../../../src/data-flow/row.js';
import type { Json, JsonObject } from '../../../src/definition/json.js';

/** A catalog that is open, for one test. */
export interface OpenFlows {
  readonly catalog: DataFlowCatalog;
  /** The same catalog over connections of its own; closed with the first one. */
  another(): Promise<DataFlowCatalog>;
}

/** What an implementation gives to the suite for each test. */
export interface Flows extends OpenFlows {
  dispose(): Promise<void>;
}

/** An arbitrary time, to the millisecond. */
export const NOON = new Date('2026-03-01T12:00:00.123Z');

/** Some seconds after {@link NOON}. */
export function after(seconds: number): Date {
  return new Date(NOON.getTime() + seconds * 1_000);
}

/** A flow as the code may declare it. */
export function declaration(change: Partial<FlowDeclaration> = {}): FlowDeclaration {
  return {
    name: 'orders',
    description: 'Copies orders.',
    enabled: true,
    runInterval: 60,
    configuration: { batch: 200, filter: { status: 'open' } },
    heartbeat: true,
    ...change,
  };
}

/** Asks for the flow `orders` at {@link NOON}. */
export function request(change: Partial<ClaimRequest> = {}): ClaimRequest {
  return { flow: 'orders', trigger: 'manual', now: NOON, ...change };
}

/** The run that was claimed; fails where none was. */
export function claimed(claim: Claim): FlowRunRecord {
  if (claim.kind !== 'claimed') throw new Error(`the claim is answered with ${claim.kind}`);
  return claim.run;
}

/** Counts after some batches of two rows each. */
export function countsOf(batches: number): RowCounts {
  return { ...NO_ROWS, read: 2 * batches, written: 2 * batches, new: 2 * batches, batches };
}

/** A position of the first run. */
export function positionAt(
  step: number,
  cursor: Json,
  change: Partial<FlowPosition> = {},
): FlowPosition {
  return { runSeq: 1, step, cursor, sinkState: null, counts: countsOf(step), ...change };
}

/** A plan, which the catalog only keeps. */
export const PLAN: JsonObject = { interpreter: 1, source: 'orders.csv' };

/** Declares `orders`, claims a run of it and begins it. */
export async function begunRun(
  catalog: DataFlowCatalog,
  change: Partial<ClaimRequest> = {},
): Promise<FlowRunRef> {
  await catalog.declare([declaration()], NOON);
  const { flow, runSeq } = claimed(await catalog.claim(request(change)));
  await catalog.begin({ flow, runSeq }, { plan: PLAN, now: change.now ?? NOON });
  return { flow, runSeq };
}

/** Claims, begins and ends a run of a flow. */
export async function completeRun(
  catalog: DataFlowCatalog,
  change: Partial<ClaimRequest> = {},
  status: 'success' | 'failed' | 'cancelled' = 'success',
): Promise<FlowRunRef> {
  const asked = request(change);
  const { flow, runSeq } = claimed(await catalog.claim(asked));
  await catalog.begin({ flow, runSeq }, { plan: PLAN, now: asked.now });
  await catalog.end({ flow, runSeq }, { status, now: asked.now });
  return { flow, runSeq };
}
