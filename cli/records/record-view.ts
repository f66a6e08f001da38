import type { Engine } from '../../engine/engine.js';
import { formatDuration } from '../format.js';
import { formatCount } from '../flows/flow-format.js';
import { barText } from '../progress-bar.js';
import type { RunRow } from '../run/run-rows.js';
import { detailRoom, runView, type RunView } from '../run/run-view.js';
import { RecordProgress, type StepState } from './record-progress.js';

/** Elsewhere than on a terminal a line is written at most so often. */
const LINE_MS = 2_000;

/** A run that is watched. */
export interface WatchedRun {
  readonly name: string;
  /** How its store knows it. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** Shows how far a run is, on standard error, until it is over or somebody has seen enough. */
export async function watchRecords(
  engine: Engine,
  run: WatchedRun,
  signal: AbortSignal,
): Promise<void> {
  const { name, id: executionId } = run;
  const steps = engine.recordPipelines.find(name)?.steps.map(({ label }) => label) ?? [];
  const view = process.stderr.isTTY
    ? new BarView(process.stderr, run, [name, ...steps])
    : new LinesView(process.stderr, run);
  const progress = new RecordProgress();
  const watched = engine.runWithId({ kind: 'record_pipeline', name, executionId });
  try {
    for await (const event of watched.events({ hints: true, signal })) {
      progress.take(event);
      view.show(progress);
    }
  } finally {
    view.end();
  }
}

/** One line for each step: those that are done stay, the current one is written anew. */
class BarView {
  readonly #view: RunView;
  readonly #widest: string;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly run: WatchedRun,
    labels: readonly string[],
  ) {
    this.#widest = labels.reduce((widest, label) =>
      label.length > widest.length ? label : widest,
    );
    this.#view = runView(stream, labels);
    this.#view.show([this.#waiting('starting …')]);
  }

  show(progress: RecordProgress): void {
    const { current, waitsFor } = progress;
    const over = progress.steps
      .filter(({ label, left, done }) => label !== current && left === 0 && done > 0)
      .map(doneRow);
    const step = progress.steps.find(({ label }) => label === current);
    if (waitsFor !== undefined) this.#view.show([...over, this.#waiting(waitsFor)]);
    else if (step === undefined) this.#view.show([...over, this.#waiting('…')]);
    else this.#view.show([...over, this.#stepRow(step, progress)]);
  }

  end(): void {
    this.#view.show([]);
    this.#view.end();
  }

  #stepRow(step: StepState, progress: RecordProgress): RunRow {
    const { label, done, left, startedAt = this.run.startedAt } = step;
    const fraction = done + left === 0 ? 1 : done / (done + left);
    const room = detailRoom(this.#widest, this.stream.columns);
    const detail = barText(fraction, numbersOf(left, progress), room);
    return { label, state: 'running', startedAt, detail, attempt: 1 };
  }

  #waiting(detail: string): RunRow {
    const { name: label, startedAt } = this.run;
    return { label, state: 'running', startedAt, detail, attempt: 1 };
  }
}

function doneRow({ label, done, startedAt }: StepState): RunRow {
  return {
    label,
    state: 'completed',
    detail: `${formatCount(done)} ${done === 1 ? 'record' : 'records'}`,
    ...(startedAt !== undefined && { durationMs: Date.now() - startedAt }),
    attempt: 1,
  };
}

/** A line every two seconds, and one for each thing that it waits for. */
class LinesView {
  #writtenAt: number;
  #toldWait: string | undefined;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly run: WatchedRun,
  ) {
    this.#writtenAt = run.startedAt;
  }

  show(progress: RecordProgress): void {
    const { waitsFor, current, steps } = progress;
    if (waitsFor !== undefined) {
      if (waitsFor !== this.#toldWait) this.#write(waitsFor);
      this.#toldWait = waitsFor;
      return;
    }
    const step = steps.find(({ label }) => label === current);
    if (step === undefined || Date.now() - this.#writtenAt < LINE_MS) return;
    this.#write(`${step.label}: ${numbersOf(step.left, progress).join(', ')}`);
  }

  end(): void {
    // Everything was written as it came.
  }

  #write(text: string): void {
    this.#writtenAt = Date.now();
    const { name, startedAt } = this.run;
    this.stream.write(`  ${name}  ${text}  ${formatDuration(this.#writtenAt - startedAt)}\n`);
  }
}

/** In the order in which they matter. */
function numbersOf(left: number, progress: RecordProgress): readonly string[] {
  const { completed, failed, recordsPerSecond, etaSeconds } = progress;
  return [
    `${formatCount(left)} left`,
    `${formatCount(completed)} completed`,
    ...(failed === 0 ? [] : [`${formatCount(failed)} failed`]),
    `${formatCount(Math.round(recordsPerSecond))} records/s`,
    ...(etaSeconds === undefined ? [] : [`${formatDuration(etaSeconds * 1_000)} to go`]),
  ];
}
