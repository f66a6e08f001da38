import pc from 'picocolors';
import { refreshSteps, type RefreshStep } from '../../engine/attribute-pipeline/refresh-steps.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import type { RefreshRun } from '../../src/attribute-pipeline/refresh.js';
import type { AttributeRun } from '../../src/attribute-pipeline/run.js';
import { AttributeProgress, takenTogether } from './attribute-progress.js';
import type { OpenAttributes } from './open-attributes.js';
import { runSummary, runTrouble } from './run-summary.js';
import { severalView, type RunningRun, type SeveralView } from './several-view.js';

/** A run that goes on, and is watched. */
interface Watched extends RunningRun {
  readonly stop: AbortController;
}

/** The runs that one workflow starts, followed until it is over. */
export class SeveralRuns {
  readonly #over: AttributeRun[] = [];
  /** By their workflow ids. */
  readonly #running = new Map<string, Watched>();
  #planned: ReadonlyMap<string, RefreshRun> = new Map();
  #refused = 0;

  constructor(
    private readonly open: OpenAttributes,
    private readonly options: {
      /** Of the workflow that starts them. */
      readonly workflowId: string;
      /** Of the pipelines, as far as they are known before it has begun. */
      readonly names: readonly string[];
      /** What they have come to is not told one by one. */
      readonly json: boolean;
    },
  ) {}

  /** Those that have ended, in the order in which they have. */
  get over(): readonly AttributeRun[] {
    return this.#over;
  }

  /** Shows on standard error how far they are, and tells of each that has ended, until all have or somebody has seen enough. */
  async watch(signal: AbortSignal): Promise<void> {
    const { client } = this.open.engine.temporal;
    const { workflowId, names } = this.options;
    const view = severalView(process.stderr, names);
    try {
      this.#show(view);
      for await (const step of refreshSteps(client, workflowId, signal)) {
        await this.#take(step, view);
        this.#show(view);
      }
    } finally {
      for (const { stop } of this.#running.values()) stop.abort();
      view.end();
    }
  }

  /** What somebody is told who leaves while they go on. */
  goesOn(): string {
    const { workflowId } = this.options;
    return [
      `The runs go on: ${String(this.#ended)} of ${String(this.#count)} ended.`,
      ...[...this.#running].map(([id, { name }]) => `  Cancel ${name}: millrace cancel ${id}`),
      `  Cancel all: millrace cancel ${workflowId}`,
      '',
    ].join('\n');
  }

  get #ended(): number {
    return this.#over.length + this.#refused;
  }

  get #count(): number {
    return this.#planned.size === 0 ? this.options.names.length : this.#planned.size;
  }

  async #take(step: RefreshStep, view: SeveralView): Promise<void> {
    if (step.kind === 'planned') {
      this.#planned = new Map(step.runs.map((run) => [run.workflowId, run]));
      return;
    }
    if (step.kind === 'asked') return;
    const run = this.#planned.get(step.workflowId);
    if (run === undefined) return;
    switch (step.kind) {
      case 'begun':
        this.#follow(run, view);
        break;
      case 'refused':
        this.#refused += 1;
        // Told in any case: there is no run that could say it.
        view.aside(() => {
          process.stderr.write(`  ${pc.red('✗')} ${pipelineName(run)}  ${step.message}\n`);
        });
        break;
      case 'ended':
        await this.#end(run, view);
    }
  }

  #follow(run: RefreshRun, view: SeveralView): void {
    const name = pipelineName(run);
    const stop = new AbortController();
    const progress = new AttributeProgress();
    this.#running.set(run.workflowId, { name, startedAt: Date.now(), progress, stop });
    const id = { kind: 'attribute_pipeline', name, executionId: run.run } as const;
    const watch = async (): Promise<void> => {
      const events = this.open.engine.runWithId(id).events({ hints: true, signal: stop.signal });
      for await (const event of events) {
        if (stop.signal.aborted) return;
        if (progress.take(event)) this.#show(view);
      }
    };
    // How far it is may be unknown for a while. That it has ended is told by the workflow that has started it.
    void watch().catch(() => undefined);
  }

  async #end({ workflowId, run: id }: RefreshRun, view: SeveralView): Promise<void> {
    this.#running.get(workflowId)?.stop.abort();
    this.#running.delete(workflowId);
    const run = await this.open.attributes.runs.run(id);
    this.#over.push(run);
    this.#tell(view, () => {
      process.stdout.write(runSummary(run));
      process.stderr.write(runTrouble(run));
    });
  }

  #tell(view: SeveralView, write: () => void): void {
    if (!this.options.json) view.aside(write);
  }

  #show(view: SeveralView): void {
    const running = [...this.#running.values()];
    const ended = this.#over.map((run) => ({ ...run, ...run.counts }));
    view.show({
      planned: this.#count,
      ended: this.#ended,
      running,
      taken: takenTogether([...ended, ...running.map(({ progress }) => progress.taken)]),
    });
  }
}
