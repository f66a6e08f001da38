import type { Context } from 'koa';
import type { Json, JsonObject } from '../../src/definition/json.js';
import { isSteering, type Steering } from '../../src/task/step-steering.js';
import type { StepSignal } from '../../src/task/step-signal.js';
import type { Api } from '../api-options.js';
import { invalidBody } from '../http-problem.js';
import { authorizedExecution } from '../middleware/authorization.js';
import { readInput } from '../middleware/body.js';
import { pathAbove } from '../request-path.js';
import { recordOf } from '../request-record.js';
import { exposedRun } from './executions.js';
import { linksOf, type Mounted } from './mount.js';

/** What can be done with a step. */
export const STEP_ACTIONS = ['retry', 'resolve', 'approve', 'reject'] as const;
export type StepAction = (typeof STEP_ACTIONS)[number];

/** A step, and what is to be done with it. */
export interface StepTarget {
  readonly name: string;
  readonly executionId: string;
  readonly step: string;
  readonly action: StepAction;
}

/** Longest reason that is kept, in characters. */
const MAX_REASON = 1_000;

/**
 * `POST …/executions/:id/steps/:step/retry` and its siblings: tells a task what becomes of one of its steps. It does so a little
 * later.
 *
 * @throws {@link RunNotFound} and {@link StepRefused} (404, 409), {@link ContractViolation} (422)
 */
export async function changeStep(
  ctx: Context,
  api: Api,
  target: StepTarget,
  mounted: Mounted,
): Promise<void> {
  const run = exposedRun(ctx, api, target.name, target.executionId);
  await authorizedExecution(ctx, api, run);
  const body = await readInput(ctx, api.settings.bodyLimitBytes);
  const { principal } = recordOf(ctx);
  await run.tellStep({
    ...signalOf(target, body),
    ...(principal !== undefined && { by: principal }),
  });
  ctx.status = 202;
  ctx.body = {
    execution_id: run.executionId,
    step: target.step,
    ...linksOf(pathAbove(ctx, 5), run.executionId, mounted),
  };
}

function signalOf({ step, action }: StepTarget, body: JsonObject): StepSignal {
  const { result = null, reason } = body;
  switch (action) {
    case 'retry':
      return { kind: 'retry', step };
    case 'resolve':
      if (body['result'] === undefined)
        throw invalidBody('result must say what is taken for the result of the step');
      return { kind: 'resolve', step, result, reason: readReason(reason), ...readSteering(body) };
    case 'approve':
      return { kind: 'answer', step, approved: true, result };
    case 'reject':
      return { kind: 'answer', step, approved: false, result: reason ?? result };
  }
}

function readSteering({ branches, ranges }: JsonObject): Steering {
  const steering = {
    ...(branches !== undefined && { branches }),
    ...(ranges !== undefined && { ranges }),
  };
  if (isSteering(steering)) return steering;
  throw invalidBody(
    'branches must be a list of names of steps, and ranges one of { "start": 0, "end": 100 }',
  );
}

function readReason(reason: Json | undefined): string {
  if (typeof reason === 'string' && reason.trim() !== '' && reason.length <= MAX_REASON)
    return reason;
  throw invalidBody(`reason must say why, in at most ${String(MAX_REASON)} characters`);
}
