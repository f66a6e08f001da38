import type { Definition } from '../../engine/registry.js';
import type { JsonObject } from '../../src/definition/json.js';
import type { OperationProgress, RunProgress, StageProgress } from '../../src/progress/progress.js';
import type { RunEvent } from '../../src/progress/run-event.js';

/** One line of a run on a terminal: a stage, or one operation of a stage that has several. */
export interface RunRow {
  readonly label: string;
  readonly state: OperationProgress['state'];
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
  readonly durationMs?: number;
  /** What there is to say: `148/212`, `1 → 98 namespaces`, an error. */
  readonly detail: string;
  readonly attempt: number;
  /** No worker that was asked has its code yet. */
  readonly waiting?: boolean;
}

/** The lines of a run, kept up to date by its events. */
export interface RowSource {
  readonly rows: readonly RunRow[];
  /** Takes an event, and gives the rows that it changed. */
  take(event: RunEvent): readonly RunRow[];
}

/** The lines of a run of a pipeline, from its events. */
export class RunRows implements RowSource {
  readonly #rows = new Map<string, RunRow>();
  readonly #counts = new Map<string, number>();
  readonly #sets = new Map<string, readonly string[]>();
  /** Operations whose number of namespaces is only known when their stage is over, and who are over then. */
  readonly #derives = new Set<string>();

  constructor(definition: Definition) {
    if (definition.kind !== 'pipeline') return;
    for (const stage of definition.plan.stages) {
      for (const operation of stage.operations) {
        const label =
          stage.operations.length === 1 ? stage.name : `${stage.name} › ${operation.name}`;
        const key = keyOf(stage.name, operation.name);
        this.#rows.set(key, { label, state: 'pending', detail: '', attempt: 1 });
        this.#sets.set(key, operation.sets);
        if (operation.changesCount === true) this.#derives.add(key);
      }
    }
  }

  get rows(): readonly RunRow[] {
    return [...this.#rows.values()];
  }

  /** Takes an event, and gives the rows that it changed. */
  take({ type, time, data }: RunEvent): readonly RunRow[] {
    switch (type) {
      case 'stage_started':
        this.#counts.set(text(data['stage']), number(data['namespace_count']) ?? 1);
        return [];
      case 'operation_started':
        return this.#change(data, { state: 'running', startedAt: time });
      case 'operation_progress':
        return this.#change(data, {
          state: 'running',
          detail: progressText(data),
          attempt: number(data['attempt']) ?? 1,
        });
      case 'operation_retrying':
        return this.#change(data, {
          detail: text(data['error']),
          attempt: number(data['attempt']) ?? 1,
        });
      case 'operation_waiting':
        return this.#change(data, {
          detail: 'waiting for a worker that has its code',
          waiting: true,
        });
      case 'operation_completed':
        return this.#completed(data);
      case 'operation_failed':
        return this.#change(data, {
          state: data['ignored'] === true ? 'ignored' : 'failed',
          ...timing(data),
          detail: text(data['error']),
        });
      case 'stage_completed':
        return this.#stageCompleted(text(data['stage']), number(data['namespace_count']) ?? 1);
      default:
        return [];
    }
  }

  #change(data: JsonObject, change: Partial<RunRow>): readonly RunRow[] {
    const key = keyOf(text(data['stage']), text(data['operation']));
    const row = this.#rows.get(key);
    if (row === undefined) return [];
    const changed = { ...row, ...change };
    this.#rows.set(key, changed);
    return [changed];
  }

  #completed(data: JsonObject): readonly RunRow[] {
    const waits = this.#derives.has(keyOf(text(data['stage']), text(data['operation'])));
    const change = { ...timing(data), detail: this.#produced(data) };
    return this.#change(data, waits ? change : { ...change, state: 'completed' });
  }

  #stageCompleted(stage: string, after: number): readonly RunRow[] {
    const before = this.#counts.get(stage) ?? 1;
    return [...this.#derives].flatMap((key) => {
      const row = this.#rows.get(key);
      if (row?.state !== 'running' || !key.startsWith(keyOf(stage, ''))) return [];
      const changed: RunRow = {
        ...row,
        state: 'completed',
        detail: `${String(before)} → ${counted(after)}`,
      };
      this.#rows.set(key, changed);
      return [changed];
    });
  }

  #produced(data: JsonObject): string {
    const sets = this.#sets.get(keyOf(text(data['stage']), text(data['operation']))) ?? [];
    const tokens = tokenText(data['usage']);
    return [producedText(sets), tokens ?? ''].filter((part) => part !== '').join('  ');
  }
}

/** The lines of a run, from how far it is. */
export function rowsOfProgress({ stages, plan }: RunProgress): readonly RunRow[] {
  return stages.flatMap((stage, at) =>
    stage.operations.map((operation, place) => ({
      label: stage.operations.length === 1 ? stage.name : `${stage.name} › ${operation.name}`,
      state: operation.state,
      detail: detailOf(stage, operation, plan?.stages[at]?.operations[place]?.sets ?? []),
      attempt: operation.attempts ?? 1,
      ...(operation.durationMs !== undefined && { durationMs: operation.durationMs }),
      ...(operation.startedAt !== undefined && { startedAt: operation.startedAt }),
    })),
  );
}

function detailOf(
  stage: StageProgress,
  { state, failure, derived }: OperationProgress,
  sets: readonly string[],
): string {
  if (failure !== undefined) return failure.message;
  if (derived !== undefined) return `${String(stage.namespaceCount ?? 1)} → ${counted(derived)}`;
  return state === 'completed' ? producedText(sets) : '';
}

function producedText(sets: readonly string[]): string {
  return sets.length === 0 ? '' : `→ ${sets.join(', ')}`;
}

function keyOf(stage: string, operation: string): string {
  return `${stage}\n${operation}`;
}

function counted(namespaces: number): string {
  return `${String(namespaces)} namespace${namespaces === 1 ? '' : 's'}`;
}

/** What an event tells of how long something took. */
export function timing(data: JsonObject): Pick<RunRow, 'attempt'> & Partial<RunRow> {
  const durationMs = number(data['duration_ms']);
  return {
    attempt: number(data['attempts']) ?? 1,
    ...(durationMs !== undefined && { durationMs }),
  };
}

/** How far a body says it is. */
export function progressText(data: JsonObject): string {
  const completed = number(data['completed']);
  const total = number(data['total']);
  const counts =
    completed === undefined
      ? ''
      : total === undefined
        ? String(completed)
        : `${String(completed)}/${String(total)}`;
  return [counts, text(data['message'])].filter((part) => part !== '').join('  ');
}

function tokenText(usage: unknown): string | undefined {
  if (!Array.isArray(usage) || usage.length === 0) return undefined;
  // The fold writes these fields: see src/progress/fold.ts.
  const used = usage as readonly {
    readonly input_tokens: number;
    readonly output_tokens: number;
  }[];
  const sum = (pick: (item: (typeof used)[number]) => number): string =>
    used.reduce((total, item) => total + pick(item), 0).toLocaleString('en');
  return `${sum((item) => item.input_tokens)} → ${sum((item) => item.output_tokens)} tokens`;
}

/** A text that an event holds. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
