import type { Context } from '@temporalio/activity';
import { createShell } from '../../adapters/shell/shell.js';
import type { ActivityDependencies, Logger } from '../dependencies.js';
import type { CompiledRecordPipeline } from '../../src/record-pipeline/compile.js';
import { AssertionFailure, type RunContext } from '../../src/record-pipeline/record-pipeline.js';
import { runReference } from '../run-reference.js';

/** What bodies of a run get, beside what is of each of them. */
export function runContext(
  { log: parent, services }: ActivityDependencies,
  { info, cancellationSignal }: Context,
  { name, store }: CompiledRecordPipeline,
): RunContext<unknown> & { readonly log: Logger } {
  const run = runReference(info, undefined);
  return {
    store,
    shell: createShell(cancellationSignal),
    assert,
    signal: cancellationSignal,
    log: parent.child({ run: run.id, record_pipeline: name }),
    run,
    services,
  };
}

function assert(condition: unknown, message?: string): void {
  if (!condition) throw new AssertionFailure(message);
}
