import type { Client } from '@temporalio/client';
import type { LoadedDataConverter } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import { isPlainObject, jsonBytes, type Json, type JsonObject } from '../../src/definition/json.js';
import type { HistoryEvent } from '../../src/progress/history-event.js';
import type { StepSignal } from '../../src/task/step-signal.js';
import { RunNotFound } from '../errors.js';
import { firstRunId } from '../execution.js';
import { HistoryDecoder } from '../history/decode.js';
import { isNotFound, readHistoryPage } from '../history/read-history.js';
import { parseRunId } from '../run-id.js';
import { requestTemporal } from '../temporal-request.js';
import { NotRecordable } from './recording-errors.js';
import { OperationEndings } from './operation-endings.js';
import {
  RECORDING_FORM,
  sameEachTime,
  type RecordedOperation,
  type RecordedOutcome,
  type RecordedStep,
  type Recording,
} from './recording.js';
import { StepEndings } from './step-endings.js';

/** Most pages of one history that are read; Temporal ends a run long before. */
const MAX_PAGES = 200;

/** Most bytes of a recording: it is a file that people keep and compare. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Reads what a run was given, and what its operations or steps did, from its history.
 *
 * @param id - the workflow id: `pipeline/summarize/01J…`
 * @throws {@link RunNotFound}, {@link NotRecordable} for a run that goes on, that was stopped, or that is neither a pipeline's nor a
 *   task's
 */
export async function readRecording(client: Client, id: string): Promise<Recording> {
  const { kind, name, executionId } = parseRunId(id) ?? {};
  if ((kind !== 'pipeline' && kind !== 'task') || name === undefined || executionId === undefined)
    throw new NotRecordable(
      id,
      'only runs of pipelines and tasks are, by ids such as pipeline/summarize/01J…. Of others, replay() checks the history.',
    );
  const { input, outcome, stopped, operations, steps, told } = await readEndings(client, id);
  if (outcome === undefined || stopped !== undefined)
    throw new NotRecordable(
      id,
      stopped === undefined
        ? 'it has not ended yet.'
        : `it was ${stopped}, and what it would have come to nobody knows.`,
    );
  const head = { form: RECORDING_FORM, name, run: id, input, outcome } as const;
  const recording: Recording =
    kind === 'pipeline' ? { ...head, kind, operations } : { ...head, kind, steps, told };
  const bytes = jsonBytes(recording);
  if (bytes > MAX_BYTES)
    throw new NotRecordable(
      id,
      `what it gave has ${String(bytes)} bytes, and the most is ${String(MAX_BYTES)}. Record a run on a smaller input.`,
    );
  return recording;
}

/** What a run was given, and what its parts did so far. */
export interface RunEndings {
  readonly input: JsonObject;
  /** What it came to; undefined where it goes on, or somebody has stopped it. */
  readonly outcome: RecordedOutcome | undefined;
  /** How it has ended otherwise, in words. */
  readonly stopped: string | undefined;
  readonly operations: readonly RecordedOperation[];
  readonly steps: readonly RecordedStep[];
  readonly told: readonly StepSignal[];
}

/** Reads the history of a run of a pipeline or a task, whatever it came to. @throws {@link RunNotFound} */
export async function readEndings(client: Client, id: string): Promise<RunEndings> {
  const reader = new RecordingReader(client.options.loadedDataConverter);
  for await (const events of pagesOf(client, id)) {
    for (const event of events) await reader.take(event);
  }
  const { input = {}, outcome, stopped, operations, steps } = reader;
  return {
    input,
    outcome,
    stopped,
    operations: operations.all,
    steps: steps.all,
    told: steps.told,
  };
}

/** The events of a run, page by page, and of those that it has continued as. */
async function* pagesOf(
  client: Client,
  id: string,
): AsyncGenerator<readonly temporal.api.history.v1.IHistoryEvent[]> {
  const handle = client.workflow.getHandle(id);
  try {
    const description = await requestTemporal(client, () => handle.describe());
    let runId: string | undefined = firstRunId(description);
    let nextPageToken: Uint8Array | undefined;
    for (let page = 0; page < MAX_PAGES && runId !== undefined; page += 1) {
      const read = await readHistoryPage(client, {
        workflowId: id,
        runId,
        wait: false,
        ...(nextPageToken !== undefined && { nextPageToken }),
      });
      yield read.events;
      nextPageToken = read.nextPageToken.length === 0 ? undefined : read.nextPageToken;
      if (nextPageToken === undefined) runId = continuedAs(read.events);
    }
  } catch (error) {
    const { name = id, executionId = '' } = parseRunId(id) ?? {};
    const unknown =
      isNotFound(error) || (error instanceof Error && error.name === 'WorkflowNotFoundError');
    throw unknown ? new RunNotFound(name, executionId) : error;
  }
}

function continuedAs(events: readonly temporal.api.history.v1.IHistoryEvent[]): string | undefined {
  return (
    events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined
  );
}

/** Takes the events of a run in their order. */
class RecordingReader {
  readonly operations = new OperationEndings();
  readonly steps = new StepEndings();
  input: JsonObject | undefined;
  /** What it came to; undefined where it goes on, or somebody has stopped it. */
  outcome: RecordedOutcome | undefined;
  /** How it has ended otherwise. */
  stopped: string | undefined;
  #decoder: HistoryDecoder;

  constructor(private readonly converter: LoadedDataConverter) {
    this.#decoder = new HistoryDecoder(converter);
  }

  async take(event: temporal.api.history.v1.IHistoryEvent): Promise<void> {
    const started = event.workflowExecutionStartedEventAttributes;
    // The numbers of events begin again.
    if (started) this.#decoder = new HistoryDecoder(this.converter);
    if (started && this.input === undefined) this.input = await this.#inputOf(started);
    const decoded = await this.#decoder.decode(event);
    if (decoded === undefined) return;
    this.operations.take(decoded);
    this.steps.take(decoded);
    this.#takeEnd(decoded);
  }

  #takeEnd(event: HistoryEvent): void {
    switch (event.type) {
      case 'run_completed':
        this.outcome = { status: 'completed', result: event.result };
        break;
      case 'run_failed':
        this.outcome = { status: 'failed', failure: sameEachTime(event.failure) };
        break;
      case 'run_cancelled':
        this.stopped = 'cancelled';
        break;
      case 'run_terminated':
        this.stopped = 'terminated';
        break;
      case 'run_timed_out':
        this.stopped = 'ended by its time limit';
        break;
      default:
    }
  }

  async #inputOf({
    input,
  }: temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes): Promise<JsonObject> {
    const [first] = input?.payloads ?? [];
    if (!first) return {};
    const [argument] = await decodeArrayFromPayloads(this.converter, [first]);
    const given: unknown = isPlainObject(argument) ? argument['input'] : undefined;
    // What a run is started with came through JSON.
    return isPlainObject(given) ? (given as Readonly<Record<string, Json>>) : {};
  }
}
