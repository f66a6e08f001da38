import type { EndTask } from '../../src/data-flow/run.js';
import type { ActivityDependencies } from '../dependencies.js';
import { flowDependencies } from './flow-code.js';

/** Longest error message and backtrace that are kept, in characters. */
const MAX_MESSAGE = 4_000;
const MAX_BACKTRACE = 16_000;

/**
 * Closes a run in the catalog, and starts the flows that come after it. Throws what the database throws: Temporal repeats it
 * until it is recorded.
 */
export async function endFlowRun(deps: ActivityDependencies, task: EndTask): Promise<void> {
  const { flow, runSeq, status, errorMessage, errorBacktrace } = task;
  const { catalog, control } = flowDependencies(deps);
  const ended = await (
    await catalog()
  ).end(
    { flow, runSeq },
    {
      status,
      now: new Date(),
      ...(errorMessage !== undefined && { errorMessage: errorMessage.slice(0, MAX_MESSAGE) }),
      ...(errorBacktrace !== undefined && {
        errorBacktrace: errorBacktrace.slice(0, MAX_BACKTRACE),
      }),
    },
  );
  if (ended) deps.log.info({ flow, run_seq: runSeq, status }, 'data flow run ended');
  try {
    // Also when an attempt before this one has recorded the end: it may not have come so far.
    await control.startFollowers(flow);
  } catch (error) {
    deps.log.warn(
      { err: error, flow },
      'flows that come after this one could not be started; the next reconciliation will',
    );
  }
}
