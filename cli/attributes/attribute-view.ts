import type { Engine } from '../../engine/engine.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import type { AttributeRun } from '../../src/attribute-pipeline/run.js';
import type { RunEvent } from '../../src/progress/run-event.js';
import { formatDuration } from '../format.js';
import { AttributeProgress } from './attribute-progress.js';
import { LiveLine } from './live-line.js';

/** Elsewhere than on a terminal a line is written at most so often. */
export const LINE_MS = 2_000;

/** Shows how far a run is, on standard error, until it is over or somebody has seen enough. */
export async function watchAttributes(
  engine: Engine,
  run: AttributeRun,
  signal: AbortSignal,
): Promise<void> {
  const name = pipelineName(run);
  const id = { kind: 'attribute_pipeline', name, executionId: run.id } as const;
  const view = process.stderr.isTTY
    ? new BarView(process.stderr, name)
    : new LinesView(process.stderr, name);
  try {
    for await (const event of engine.runWithId(id).events({ hints: true, signal }))
      view.take(event);
  } finally {
    view.end();
  }
}

/** One line, written anew. */
class BarView {
  readonly #line: LiveLine;
  readonly #progress = new AttributeProgress();

  constructor(stream: NodeJS.WriteStream, name: string) {
    this.#line = new LiveLine(stream, name);
  }

  take(event: RunEvent): void {
    const progress = this.#progress;
    if (!progress.take(event)) return;
    if (progress.waitsFor !== undefined) this.#line.say(progress.waitsFor);
    else this.#line.show(progress.fraction, progress.numbers);
  }

  end(): void {
    this.#line.end();
  }
}

/** A line every two seconds, and one for each thing that it waits for. */
class LinesView {
  readonly #progress = new AttributeProgress();
  readonly #startedAt = Date.now();
  #writtenAt = Date.now();
  #toldWait = '';

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly name: string,
  ) {}

  take(event: RunEvent): void {
    const progress = this.#progress;
    if (!progress.take(event)) return;
    const { waitsFor } = progress;
    if (waitsFor !== undefined) {
      if (waitsFor !== this.#toldWait) this.#write(waitsFor);
      this.#toldWait = waitsFor;
    } else if (Date.now() - this.#writtenAt >= LINE_MS) {
      this.#write([progress.looked, ...progress.numbers].join(', '));
    }
  }

  end(): void {
    // Everything was written as it came.
  }

  #write(text: string): void {
    this.#writtenAt = Date.now();
    this.stream.write(
      `  ${this.name}  ${text}  ${formatDuration(this.#writtenAt - this.#startedAt)}\n`,
    );
  }
}
