import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  parseRecording,
  sameEachTime,
  type RecordedFailure,
  type RecordedOutcome,
  type Recording,
} from '../../engine/recording/recording.js';
import type { Json } from '../../src/definition/json.js';
import type { Failure } from '../../src/pipeline/failure.js';
import type { ExecutionStatus } from '../../src/progress/status.js';
import type { DefinitionRunOptions } from './definition-run.js';
import { runPipeline } from './run-pipeline.js';
import { runTask } from './run-task.js';
import type { OperationStubs, StepStubs } from './stub.js';

/** How {@link runRecorded} runs what was recorded. */
export interface RunRecordedOptions extends Omit<DefinitionRunOptions, 'dir'> {
  /** The project's folder; the working directory unless set. */
  readonly dir?: string | URL;
  /** Operations, steps or handlers that do their work all the same, by their names. */
  readonly real?: readonly string[];
  /** Of a pipeline: what stands in for operations, instead of what was recorded. */
  readonly operations?: OperationStubs;
  /** Of a task: what stands in for handlers, instead of what was recorded. */
  readonly handlers?: StepStubs;
}

/** What came of a recorded run when it was run again. */
export interface RecordedRunOutcome {
  /** What it came to now. Of a failure, what is the same each time. */
  readonly outcome:
    | RecordedOutcome
    | {
        readonly status: Exclude<ExecutionStatus, RecordedOutcome['status']>;
        readonly failure: RecordedFailure;
      };
  /** What it came to when it was recorded. */
  readonly recorded: RecordedOutcome;
}

/**
 * Reads a recording, as `recordRun` and `millrace record` write it.
 *
 * @throws {@link RecordingInvalid}
 */
export async function readRecordingFile(file: string | URL): Promise<Recording> {
  const path = pathOf(file);
  return parseRecording(await readFile(path, 'utf8'), path);
}

/**
 * Runs the pipeline or task of a recorded run again, as it is now, with what its operations or steps did then.
 *
 * @throws {@link RecordingInvalid}, and what {@link runPipeline} and {@link runTask} throw
 */
export async function runRecorded(
  file: string | URL,
  { dir = '.', operations, handlers, ...rest }: RunRecordedOptions = {},
): Promise<RecordedRunOutcome> {
  const recording = await readRecordingFile(file);
  const { name, input, outcome: recorded } = recording;
  const options = { ...rest, dir: pathOf(dir), input };
  const run =
    recording.kind === 'pipeline'
      ? await runPipeline(name, { ...options, recording, ...(operations && { operations }) })
      : await runTask(name, { ...options, recording, ...(handlers && { handlers }) });
  return { outcome: run.status === 'completed' ? completed(run.result) : failed(run), recorded };
}

function completed(result: Json): RecordedOutcome {
  return { status: 'completed', result };
}

function failed({
  status,
  failure,
}: {
  readonly status: Exclude<ExecutionStatus, 'completed' | 'pending' | 'running'>;
  readonly failure: Failure;
}): RecordedRunOutcome['outcome'] {
  return { status, failure: sameEachTime(failure) };
}

function pathOf(file: string | URL): string {
  return file instanceof URL || file.startsWith('file:') ? fileURLToPath(file) : file;
}
