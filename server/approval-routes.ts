import type { Router, RouterContext } from '@koa/router';
import type { ApprovalLinks } from '../adapters/approval/approval-links.js';
import type { Run } from '../engine/run.js';
import type { JsonObject } from '../src/definition/json.js';
import { stepsOf } from '../src/progress/task-progress.js';
import type { ApprovalTarget } from '../src/task/approval-target.js';
import type { Api } from './api-options.js';
import { HttpProblem, invalidBody } from './http-problem.js';
import { readInput } from './middleware/body.js';
import { methodNotAllowed } from './middleware/method.js';

/** Where links of approvals lead to, as signed by {@link ApprovalLinks}. */
export const APPROVAL_PATH = '/approvals';

/** Longest token that is looked at, in characters: names of tasks and steps have some hundred at most. */
const MAX_TOKEN = 4_000;

/** Longest text of who has answered, in characters. */
const MAX_BY = 200;

/**
 * Adds `/approvals/:token`: `GET` says what is asked, `POST` answers. Nobody has to authenticate, since the link is what says that they
 * may answer; it is for one step of one run.
 */
export function addApprovalRoutes(router: Router, api: Api, links: ApprovalLinks): void {
  const path = `${APPROVAL_PATH}/:token`;
  router.get('approval', path, async (ctx: RouterContext) => {
    const { target, run } = await asked(ctx, api, links);
    const { status, progress } = await run.describe();
    const steps = progress?.task === undefined ? [] : stepsOf(progress.task);
    const step = steps.find(({ name }) => name === target.step);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      ...told(target),
      status,
      ...(step !== undefined && { step_status: step.status }),
      ...(step?.result !== undefined && { result: step.result }),
    };
  });
  router.post(path, async (ctx: RouterContext) => {
    const { target, run } = await asked(ctx, api, links);
    const body = await readInput(ctx, api.settings.bodyLimitBytes);
    const { approved, result = null, reason, by } = body;
    if (typeof approved !== 'boolean') throw invalidBody('approved must be true or false');
    if (by !== undefined && (typeof by !== 'string' || by.length > MAX_BY))
      throw invalidBody(`by must be a text of at most ${String(MAX_BY)} characters`);
    await run.tellStep({
      kind: 'answer',
      step: target.step,
      approved,
      result: approved ? result : (reason ?? result),
      ...(by !== undefined && { by }),
    });
    ctx.status = 202;
    ctx.body = { ...told(target), approved };
  });
  router.all(path, methodNotAllowed(['GET', 'POST']));
}

/** What a link is for. @throws {@link HttpProblem} 404 for one that was not made here, or is changed */
async function asked(
  ctx: RouterContext,
  api: Api,
  links: ApprovalLinks,
): Promise<{ readonly target: ApprovalTarget; readonly run: Run }> {
  const { token = '' } = ctx.params;
  const target = token.length > MAX_TOKEN ? undefined : await links.target(token);
  if (target === undefined) throw new HttpProblem(404, 'not_found', 'This link is none of ours');
  const { name, executionId } = target;
  // Also of a task that there is no more.
  return { target, run: api.engine.runWithId({ kind: 'task', name, executionId }) };
}

function told({ name, executionId, step }: ApprovalTarget): JsonObject {
  return { task_name: name, execution_id: executionId, step };
}
