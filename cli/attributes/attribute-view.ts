import type { Engine } from '../../engine/engine.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import type { AttributeRun } from '../../src/attribute-pipeline/run.js';
import type { RunEvent } from '../../src/progress/run-event.js';
import { formatCount } from '../flows/flow-format.js';
import { formatCost } from './cost-format.js';
import { formatDuration } from '../format.js';
import { barText } from '../progress-bar.js';
import { detailRoom, runView, type RunView } from '../run/run-view.js';

/** Elsewhere than on a terminal a line is written at most so often. */
const LINE_MS = 2_000;

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
  readonly #view: RunView;
  readonly #startedAt = Date.now();

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly name: string,
  ) {
    this.#view = runView(stream, [name]);
    this.#show('starting …');
  }

  take({ type, data }: RunEvent): void {
    if (type === 'attribute_run_waiting') this.#show(textOf(data['reason']));
    if (type !== 'attribute_run_progress') return;
    const total = numberOf(data['total']);
    const fraction = total === 0 ? 1 : numberOf(data['completed']) / total;
    this.#show(barText(fraction, numbersOf(data), detailRoom(this.name, this.stream.columns)));
  }

  end(): void {
    this.#view.show([]);
    this.#view.end();
  }

  #show(detail: string): void {
    const { name: label } = this;
    this.#view.show([{ label, state: 'running', startedAt: this.#startedAt, detail, attempt: 1 }]);
  }
}

/** A line every two seconds, and one for each thing that it waits for. */
class LinesView {
  readonly #startedAt = Date.now();
  #writtenAt = Date.now();
  #waits = '';

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly name: string,
  ) {}

  take({ type, data }: RunEvent): void {
    if (type === 'attribute_run_waiting') {
      const reason = textOf(data['reason']);
      if (reason !== this.#waits) this.#write(reason);
      this.#waits = reason;
    }
    if (type !== 'attribute_run_progress' || Date.now() - this.#writtenAt < LINE_MS) return;
    const of = `${formatCount(numberOf(data['completed']))} of ${formatCount(numberOf(data['total']))}`;
    this.#write([of, ...numbersOf(data)].join(', '));
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

/** In the order in which they matter. */
function numbersOf(data: RunEvent['data']): readonly string[] {
  const { cost, eta_seconds: eta } = data;
  const count = (name: string, what: string): readonly string[] => {
    const number = numberOf(data[name]);
    return number === 0 ? [] : [`${formatCount(number)} ${what}`];
  };
  return [
    ...count('processed', 'computed'),
    ...count('failed', 'failed'),
    ...(typeof cost === 'number' ? [`cost ${formatCost(cost)}`] : []),
    ...count('unchanged', 'unchanged'),
    ...count('skipped', 'skipped'),
    `${formatCount(numberOf(data['entities_per_second']))}/s`,
    ...(typeof eta === 'number' && eta > 1 ? [`${formatDuration(eta * 1_000)} to go`] : []),
  ];
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
