import { SdkComponent } from '@temporalio/common';
import { Runtime, type InjectedSinks } from '@temporalio/worker';
import { LRUCache } from 'lru-cache';
import { AttemptEvents, eventError } from '../activities/attempt-events.js';
import type { Logger } from '../activities/dependencies.js';
import { stepCompleted, stepFailed } from '../activities/task/step-events.js';
import type { EventPublisher } from '../adapters/event/event-bridge.js';
import { runKind } from '../src/definition/run-kind.js';
import type { RunEventPayload, StepEventPayload } from '../src/event/event.js';
import type { EventSinks, RunNews, StepNews } from '../src/event/run-news.js';
import { executionIdOf } from '../src/outcome/outcome.js';
import type { RunReference } from '../src/pipeline/context.js';

/** Most of the latest news that are remembered, so that none is published twice where Temporal has a workflow task done again. */
const MAX_REMEMBERED = 10_000;

/** Of a run, Temporal's own word for it is part: a workflow id may be used again. */
interface WorkflowIdentity {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
}

/** Logs how runs begin and end, and publishes what workflow code tells, where there is a bridge. */
export function eventSinks(
  bridge: EventPublisher | undefined,
  log: Logger,
): InjectedSinks<EventSinks> {
  const told = new LRUCache<string, true>({ max: MAX_REMEMBERED });
  const once = (
    { runId }: WorkflowIdentity,
    what: string,
    publish: (to: EventPublisher) => void,
  ): void => {
    if (bridge === undefined || told.has(`${runId} ${what}`)) return;
    told.set(`${runId} ${what}`, true);
    publish(bridge);
  };
  return {
    millrace: {
      run: {
        fn: (info, news) => {
          logRun(info, news);
          if (news.what === 'started' && news.continues) return;
          once(info, news.what, (to) => {
            publishRun(to, info, news);
          });
        },
      },
      step: {
        fn: (info, news) => {
          const what = `${news.name} ${String(news.startedAt)} ${news.end === undefined ? 'started' : 'ended'}`;
          once(info, what, (to) => {
            publishStep(to, info, news, log);
          });
        },
      },
    },
  };
}

/** Among what Temporal's SDK says of workflows: who starts the process decides what is shown of that. */
function logRun({ workflowId, runId, workflowType }: WorkflowIdentity, news: RunNews): void {
  const { logger } = Runtime.instance();
  const kind = runKind(workflowId);
  // As seed 000 has it in its logs.
  const noun = kind === 'flow' || kind === 'task' ? kind : 'pipe';
  const named = {
    sdkComponent: SdkComponent.workflow,
    workflowId,
    runId,
    [noun]: workflowType,
  };
  if (news.what === 'started') {
    logger.info(`${noun} started`, named);
    return;
  }
  const { status, durationMs, failure } = news;
  if (failure === undefined) logger.info(`${noun} ${status}`, { ...named, durationMs });
  else logger.error(`${noun} ${status}`, { ...named, reason: failure.message, type: failure.type });
}

function publishRun(bridge: EventPublisher, info: WorkflowIdentity, news: RunNews): void {
  const { id, kind, name } = runOf(info);
  const phase =
    news.what === 'started' ? 'started' : news.status === 'timed_out' ? 'failed' : news.status;
  bridge.publish(`${kind}.execution.${phase}`, () => ({
    task_uuid: executionIdOf(id),
    payload: { run_id: id, kind, name, ...endOf(news) } satisfies RunEventPayload,
    timestamp: new Date().toISOString(),
  }));
}

function endOf(news: RunNews): Partial<RunEventPayload> {
  if (news.what === 'started') return {};
  const { status, durationMs, failure } = news;
  return {
    status,
    duration_ms: durationMs,
    ...(failure !== undefined && { error: eventError(failure) }),
  };
}

function publishStep(
  bridge: EventPublisher,
  info: WorkflowIdentity,
  { step, name, declared, startedAt, end }: StepNews,
  log: Logger,
): void {
  const run = runOf(info);
  const parts = { step, step_name: name };
  const events = new AttemptEvents<StepEventPayload>(bridge, {
    subject: 'step',
    run,
    name,
    attempt: 1,
    parts,
    startedAt,
  });
  const publishing = { events, step, name, declared, log: log.child({ run: run.id, step: name }) };
  if (end === undefined) events.started();
  else if ('failure' in end) stepFailed(publishing, end.failure, false);
  else stepCompleted(publishing, end.result);
}

function runOf({ workflowId, workflowType }: WorkflowIdentity): RunReference {
  return { id: workflowId, name: workflowType, kind: runKind(workflowId) };
}
