import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { deadLetterOf } from '../src/task/dead-letter.js';
import { isTaskArguments } from '../src/task/plan.js';
import type { Engine } from './engine.js';
import { RunNotFound } from './errors.js';
import { firstRunId } from './execution.js';
import { readHistoryPage } from './history/read-history.js';
import type { Run } from './run.js';
import { formatRunId } from './run-id.js';
import { isUnknownWorkflow } from './running-workflow.js';
import { requestTemporal } from './temporal-request.js';

/** A run is none that a limit has set aside. */
export class NoDeadLetter extends Error {
  override readonly name = 'NoDeadLetter';
  constructor(readonly executionId: string) {
    super(`Execution ${executionId} is no dead letter: no limit has set it aside.`);
  }
}

/**
 * Starts a task again that a limit has set aside, with its input and the template as it is now. However often it is asked for, there is
 * one run; that one is started again where it becomes a dead letter itself.
 *
 * @throws {@link NoDeadLetter}, {@link RunNotFound}, {@link ContractViolation} where the template takes the input no more, and
 *   what {@link Engine.start} throws
 */
export async function requeueDeadLetter(
  engine: Engine,
  name: string,
  executionId: string,
  options: { readonly principal?: string } = {},
): Promise<Run> {
  const { client } = engine.temporal;
  const workflowId = formatRunId({ kind: 'task', name, executionId });
  try {
    const description = await requestTemporal(client, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    const isTimedOut = description.status.name === 'TIMED_OUT';
    if (deadLetterOf(description.memo, isTimedOut) === undefined)
      throw new NoDeadLetter(executionId);
    const { events } = await readHistoryPage(client, {
      workflowId,
      runId: firstRunId(description),
      wait: false,
    });
    const payload = events[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    const [argument] = await decodeArrayFromPayloads(
      client.options.loadedDataConverter,
      payload ? [payload] : [],
    );
    if (!isTaskArguments(argument)) throw new NoDeadLetter(executionId);
    return await engine.start(name, argument.input, { ...options, requeues: executionId });
  } catch (error) {
    if (isUnknownWorkflow(error)) throw new RunNotFound(name, executionId);
    throw error;
  }
}
