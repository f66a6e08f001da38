import { formatDuration, visibleWidth } from '../format.js';
import { barText } from '../progress-bar.js';
import type { RunRow } from '../run/run-rows.js';
import { detailRoom, runView, type RunView } from '../run/run-view.js';
import { takenNumbers, type AttributeProgress, type Taken } from './attribute-progress.js';
import { LINE_MS } from './attribute-view.js';

/** How far the runs of several pipelines are. */
export interface SeveralProgress {
  readonly planned: number;
  readonly ended: number;
  readonly running: readonly RunningRun[];
  /** By all of them together. */
  readonly taken: Taken;
}

/** A run that goes on. */
export interface RunningRun {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly progress: AttributeProgress;
}

/** Shows how far several runs are. */
export interface SeveralView {
  show(progress: SeveralProgress): void;
  /** Lets others write, to the same terminal perhaps. */
  aside(write: () => void): void;
  /** Gives the terminal back. */
  end(): void;
}

/** Lines of a terminal that are left to others. */
const LEFT_LINES = 3;

/** A view for where the progress goes: bars that move on a terminal, lines elsewhere. */
export function severalView(stream: NodeJS.WriteStream, names: readonly string[]): SeveralView {
  return stream.isTTY ? new BarsView(stream, names) : new LinesView(stream);
}

/** `2 of 5 ended`, of runs. */
function endedText({ planned, ended }: Pick<SeveralProgress, 'planned' | 'ended'>): string {
  return `${String(ended)} of ${String(planned)} ended`;
}

/** A line for each run that goes on, and one for all of them, written anew. */
class BarsView implements SeveralView {
  readonly #view: RunView;
  readonly #widest: string;
  readonly #startedAt = Date.now();
  #rows: readonly RunRow[] = [];

  constructor(
    private readonly stream: NodeJS.WriteStream,
    names: readonly string[],
  ) {
    const count = names.length;
    const labels = [...names, endedText({ planned: count, ended: count })];
    this.#widest = labels.reduce((one, other) =>
      visibleWidth(other) > visibleWidth(one) ? other : one,
    );
    this.#view = runView(stream, labels);
  }

  show(progress: SeveralProgress): void {
    const { running, taken } = progress;
    const room = detailRoom(this.#widest, this.stream.columns);
    // More lines than the terminal has could not be written anew.
    const most = Math.max(1, this.stream.rows - LEFT_LINES);
    this.#rows = [
      ...running
        .slice(0, most)
        .map(({ name, startedAt, progress: one }) => row(name, startedAt, detailOf(one, room))),
      row(endedText(progress), this.#startedAt, barText(undefined, takenNumbers(taken), room)),
    ];
    this.#view.show(this.#rows);
  }

  aside(write: () => void): void {
    this.#view.show([]);
    write();
    this.#view.show(this.#rows);
  }

  end(): void {
    this.#view.show([]);
    this.#view.end();
  }
}

function row(label: string, startedAt: number, detail: string): RunRow {
  return { label, state: 'running', startedAt, detail, attempt: 1 };
}

function detailOf({ waitsFor, fraction, numbers }: AttributeProgress, room: number): string {
  if (waitsFor !== undefined) return waitsFor;
  return fraction === undefined ? 'starting …' : barText(fraction, numbers, room);
}

/** A line every two seconds, and one for each thing that a run waits for. */
class LinesView implements SeveralView {
  readonly #startedAt = Date.now();
  readonly #toldWaits = new Map<string, string>();
  #writtenAt = Date.now();

  constructor(private readonly stream: NodeJS.WriteStream) {}

  show(progress: SeveralProgress): void {
    const { running, taken } = progress;
    for (const { name, progress: one } of running) {
      const { waitsFor } = one;
      if (waitsFor === undefined || this.#toldWaits.get(name) === waitsFor) continue;
      this.#toldWaits.set(name, waitsFor);
      this.#write(`${name}  ${waitsFor}`);
    }
    if (running.length === 0 || Date.now() - this.#writtenAt < LINE_MS) return;
    const names = running.map(({ name }) => name).join(', ');
    this.#write(`${endedText(progress)}  ${takenNumbers(taken).join(', ')}; running: ${names}`);
  }

  aside(write: () => void): void {
    write();
  }

  end(): void {
    // Everything was written as it came.
  }

  #write(text: string): void {
    this.#writtenAt = Date.now();
    this.stream.write(`  ${text}  ${formatDuration(this.#writtenAt - this.#startedAt)}\n`);
  }
}
