import {
  BEGIN_ACTIVITY,
  BODY_ACTIVITY,
  CLAIM_ACTIVITY,
  END_ACTIVITY,
  MOVE_ACTIVITY,
  RECONCILE_ACTIVITY,
  type Begun,
  type ClaimOutcome,
  type ClaimTask,
  type EndTask,
  type MoveOutcome,
  type MoveTask,
} from '../../src/data-flow/run.js';
import type { FlowRunRef } from '../../src/data-flow/catalog.js';
import type { ActivityDependencies } from '../dependencies.js';
import { beginFlowRun } from './begin-flow-run.js';
import { endFlowRun } from './end-flow-run.js';
import { flowDependencies } from './flow-code.js';
import { moveRows } from './move-rows.js';
import { runFlowBody } from './run-flow-body.js';

/** The activities of data flows. */
export interface DataFlowActivities {
  readonly [CLAIM_ACTIVITY]: (task: ClaimTask) => Promise<ClaimOutcome>;
  readonly [BEGIN_ACTIVITY]: (ref: FlowRunRef) => Promise<Begun>;
  readonly [MOVE_ACTIVITY]: (task: MoveTask) => Promise<MoveOutcome>;
  readonly [BODY_ACTIVITY]: (task: MoveTask) => Promise<MoveOutcome>;
  readonly [END_ACTIVITY]: (task: EndTask) => Promise<void>;
  readonly [RECONCILE_ACTIVITY]: () => Promise<unknown>;
}

/** Creates the activities of data flows. */
export function createDataFlowActivities(deps: ActivityDependencies): DataFlowActivities {
  return {
    [CLAIM_ACTIVITY]: async (task) => flowDependencies(deps).control.claimScheduled(task),
    [BEGIN_ACTIVITY]: (ref) => beginFlowRun(deps, ref),
    [MOVE_ACTIVITY]: (task) => moveRows(deps, task),
    [BODY_ACTIVITY]: (task) => runFlowBody(deps, task),
    [END_ACTIVITY]: (task) => endFlowRun(deps, task),
    [RECONCILE_ACTIVITY]: async () => flowDependencies(deps).control.reconcile(),
  };
}
