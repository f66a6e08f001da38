import type { RunEvent } from '../../src/progress/run-event.js';
import { stepsOf, type StepProgress, type TaskProgress } from '../../src/progress/task-progress.js';
import type { TaskPlan } from '../../src/task/plan.js';
import { progressText, text, timing, type RowSource, type RunRow } from './run-rows.js';

/** The lines of a task, one for each step and each worker of a batch, from its events. */
export class StepRows implements RowSource {
  readonly #rows: Map<string, RunRow>;

  constructor({ steps }: TaskPlan) {
    this.#rows = new Map(
      steps
        // Of these there are as many as the batch has ranges.
        .filter(({ type }) => type !== 'batch_worker')
        .map(({ name }) => [name, { label: name, state: 'pending', detail: '', attempt: 1 }]),
    );
  }

  get rows(): readonly RunRow[] {
    return [...this.#rows.values()];
  }

  take(event: RunEvent): readonly RunRow[] {
    const change = changeBy(event);
    const name = text(event.data['step']);
    if (change === undefined || name === '') return [];
    const row = this.#rows.get(name) ?? { label: name, state: 'pending', detail: '', attempt: 1 };
    const changed: RunRow = { ...row, ...change };
    this.#rows.set(name, changed);
    return [changed];
  }
}

function changeBy({ type, time, data }: RunEvent): Partial<RunRow> | undefined {
  const attempt = typeof data['attempt'] === 'number' ? { attempt: data['attempt'] } : {};
  switch (type) {
    case 'step_started':
      return { state: 'running', startedAt: time, detail: '' };
    case 'approval_requested':
      return { state: 'running', startedAt: time, detail: 'waits for approval' };
    case 'step_progress':
      return { state: 'running', detail: progressText(data), ...attempt };
    case 'step_retrying':
      return { detail: text(data['error']), ...attempt };
    case 'step_waiting':
      return { detail: 'waiting for a worker that has its code', waiting: true };
    case 'step_completed':
      return { state: 'completed', ...timing(data), detail: chosen(data) };
    case 'step_failed':
      return { state: 'failed', ...timing(data), detail: text(data['error']) };
    case 'step_skipped':
      return { state: 'cancelled', detail: 'not chosen' };
    case 'step_cancelled':
      return { state: 'cancelled', detail: '' };
    case 'step_retried':
      return { state: 'running', detail: 'begins again', attempt: 1 };
    case 'step_resolved':
      return { state: 'completed', detail: resolvedText(data['by'], data['reason']) };
    default:
      return undefined;
  }
}

/** What a decision has chosen, or how many ranges a batch has. */
function chosen({ branches, batches }: RunEvent['data']): string {
  if (Array.isArray(branches))
    return branches.length === 0 ? '→ nothing' : `→ ${branches.join(', ')}`;
  return typeof batches === 'number' ? `→ ${String(batches)} ranges` : '';
}

function resolvedText(by: unknown, reason: unknown): string {
  const who = typeof by === 'string' ? ` by ${by}` : '';
  return `resolved${who}: ${text(reason)}`;
}

/** The lines of a task, from how far it is. */
export function rowsOfTask(task: TaskProgress): readonly RunRow[] {
  return stepsOf(task).map((step) => ({
    label: step.name,
    ...stateOf(step),
    attempt: step.attempts ?? 1,
    ...(step.startedAt !== undefined && { startedAt: step.startedAt }),
    ...(step.durationMs !== undefined && { durationMs: step.durationMs }),
  }));
}

function stateOf(step: StepProgress): Pick<RunRow, 'state' | 'detail'> {
  const { status, failure, type, by, reason } = step;
  switch (status) {
    case 'in_progress':
      return { state: 'running', detail: type === 'approval' ? 'waits for approval' : '' };
    case 'complete':
      return { state: 'completed', detail: '' };
    case 'resolved_manually':
      return { state: 'completed', detail: resolvedText(by, reason) };
    case 'error':
      return { state: 'failed', detail: failure?.message ?? '' };
    case 'blocked':
      return { state: 'pending', detail: 'blocked' };
    case 'skipped':
      return { state: 'cancelled', detail: 'not chosen' };
    case 'cancelled':
      return { state: 'cancelled', detail: '' };
    case 'pending':
      return { state: 'pending', detail: '' };
  }
}
