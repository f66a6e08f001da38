import { formatDuration } from '../format.js';
import { barText } from '../progress-bar.js';
import { detailRoom, runView, type RunView } from '../run/run-view.js';
import { formatCount, formatFraction, formatRate } from './flow-format.js';
import type { FlowProgress } from './flow-progress.js';

/** Shows how far a run of a flow is. */
export interface FlowView {
  show(progress: FlowProgress): void;
  /**
   * Gives the terminal back.
   *
   * @param over - the run has ended, and what it has come to takes the place of its progress
   */
  end(over: boolean): void;
}

/** The run that is watched. */
export interface WatchedRun {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** Elsewhere than on a terminal a line is written at most so often. */
const LINE_MS = 1_000;

/** A view for where the progress goes: a bar that moves on a terminal, lines elsewhere. */
export function flowView(stream: NodeJS.WriteStream, run: WatchedRun): FlowView {
  return stream.isTTY ? new BarView(stream, run) : new LinesView(stream, run);
}

/** One line, written anew: a spinner, the bar, numbers, the time. */
class BarView implements FlowView {
  readonly #view: RunView;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly run: WatchedRun,
  ) {
    this.#view = runView(stream, [run.name]);
    this.#draw('starting …');
  }

  show(progress: FlowProgress): void {
    this.#draw(progressText(progress, detailRoom(this.run.name, this.stream.columns)));
  }

  end(over: boolean): void {
    if (over) this.#view.show([]);
    this.#view.end();
  }

  #draw(detail: string): void {
    const { name: label, startedAt } = this.run;
    this.#view.show([{ label, state: 'running', startedAt, detail, attempt: 1 }]);
  }
}

/** A line a second, and none when nothing was told. */
class LinesView implements FlowView {
  #writtenAt = 0;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly run: WatchedRun,
  ) {}

  show(progress: FlowProgress): void {
    const now = Date.now();
    if (now - this.#writtenAt < LINE_MS) return;
    this.#writtenAt = now;
    const { fraction } = progress;
    const parts = [
      this.run.name,
      ...(fraction === undefined ? [] : [formatFraction(fraction)]),
      numbersOf(progress).join(', '),
      formatDuration(now - this.run.startedAt),
    ];
    this.stream.write(`  ${parts.join('  ')}\n`);
  }

  end(): void {
    // Everything was written as it came.
  }
}

/** As much of the progress as there is room for. */
export function progressText(progress: FlowProgress, room: number): string {
  return barText(progress.fraction, numbersOf(progress), room);
}

/** In the order in which they matter. */
function numbersOf({ read, written, rejected, rowsPerSecond }: FlowProgress): readonly string[] {
  return [
    `${formatCount(read)} read`,
    `${formatCount(written)} written`,
    ...(rejected === 0 ? [] : [`${formatCount(rejected)} rejected`]),
    formatRate(rowsPerSecond),
  ];
}
