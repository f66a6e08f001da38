import { coreOf } from '../../../adapters/record-store/define-store.js';
import { RunLog } from '../../../adapters/record-store/run/run-log.js';
import { createShell } from '../../../adapters/shell/shell.js';
import { StoreDrain } from '../../../activities/record-pipeline/store-drain.js';
import { compileRecordPipeline } from '../../../src/record-pipeline/compile.js';
import type { DrainOutcome } from '../../../src/record-pipeline/plan.js';
import type { RecordPipeline } from '../../../src/record-pipeline/record-pipeline.js';
import type { RecordFailure } from '../../../src/record-pipeline/run.js';
import { NO_SERVICES, type Log } from '../../../src/pipeline/context.js';
import { AssertionFailure } from '../../../src/record-pipeline/record-pipeline.js';

/** What draining a store has come to. */
export interface Drained extends DrainOutcome {
  readonly failures: readonly RecordFailure[];
  /** What was logged as a warning. */
  readonly warnings: readonly string[];
}

let runs = 0;

/** Drains a store to its end, as the activities of one run do, without a Temporal server: nothing of it is needed for that. */
export async function drain(
  definition: RecordPipeline<object>,
  options: {
    readonly signal?: AbortSignal;
    readonly run?: string;
    readonly retryFailed?: boolean;
  } = {},
): Promise<Drained> {
  const { pipeline, problems } = compileRecordPipeline({ definition, locate: () => undefined });
  if (pipeline === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  const store = coreOf(definition.store);
  const { run = `run-${String((runs += 1))}`, signal = new AbortController().signal } = options;
  const log = new RunLog(store.live.db);
  log.begin({ id: run, pipeline: pipeline.name, workflowId: run }, store.dir, new Date());
  const warnings: string[] = [];
  const parts = {
    store,
    pipeline,
    run,
    retryFailed: options.retryFailed ?? false,
    signal,
    log: logInto(warnings),
    context: {
      store: definition.store,
      shell: createShell(signal),
      assert: (condition: unknown, message?: string) => {
        if (!condition) throw new AssertionFailure(message);
      },
      log: logInto(warnings),
      run: { id: run, name: pipeline.name, kind: 'workflow' as const },
      services: NO_SERVICES,
    },
    onProgress: () => undefined,
  };
  let outcome = await new StoreDrain(parts, { step: 0, found: false }).run();
  while (!outcome.done && !signal.aborted)
    outcome = await new StoreDrain(parts, outcome.place).run();
  log.end(run, outcome.counts.failed > 0 ? 'failed' : 'success', new Date());
  return { ...outcome, failures: log.failures(run, 1_000), warnings };
}

function logInto(warnings: string[]): Log {
  const note = (fields: object | string, message = ''): void => {
    const { err } = fields as { readonly err?: unknown };
    warnings.push(`${message}: ${err instanceof Error ? err.message : String(err)}`);
  };
  const nothing = (): void => undefined;
  return { debug: nothing, info: nothing, warn: note, error: note };
}
