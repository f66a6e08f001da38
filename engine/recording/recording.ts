import { z } from 'zod';
import type { Json, JsonObject } from '../../src/definition/json.js';
import type { Failure } from '../../src/pipeline/failure.js';
import type { Effect } from '../../src/pipeline/operation-task.js';
import type { BatchRange } from '../../src/task/step-outcome.js';
import type { StepSignal } from '../../src/task/step-signal.js';
import { RecordingInvalid } from './recording-errors.js';

/** The form of recordings; another number is another form. */
const FORM = 1;

/** What of a failure is the same each time. */
export type RecordedFailure = Pick<Failure, 'type' | 'message' | 'stage' | 'operation' | 'step'>;

/** What of a failure is the same when the run is repeated. */
export function sameEachTime({ type, message, stage, operation, step }: Failure): RecordedFailure {
  return {
    type,
    message,
    ...(stage !== undefined && { stage }),
    ...(operation !== undefined && { operation }),
    ...(step !== undefined && { step }),
  };
}

/** What a run came to. */
export type RecordedOutcome =
  | { readonly status: 'completed'; readonly result: Json }
  | { readonly status: 'failed'; readonly failure: RecordedFailure };

interface Recorded {
  readonly form: typeof FORM;
  /** Of the definition. */
  readonly name: string;
  /** The workflow id of the run. */
  readonly run: string;
  readonly input: JsonObject;
  readonly outcome: RecordedOutcome;
}

/** What an operation did in a run, in its place in the pipeline. */
export interface RecordedOperation {
  readonly stage: string;
  readonly operation: string;
  readonly effect: Effect | { readonly kind: 'failed'; readonly failure: Failure };
}

/** What a run of a pipeline was given, and what its operations did. */
export interface PipelineRecording extends Recorded {
  readonly kind: 'pipeline';
  readonly operations: readonly RecordedOperation[];
}

/** How one step, or one worker of a batch, has ended. A step that somebody has retried has ended more than once. */
export interface RecordedStep {
  /** Of a worker of a batch, its own name. */
  readonly step: string;
  readonly ended:
    | {
        readonly kind: 'done';
        readonly result: Json;
        readonly branches?: readonly string[];
        readonly ranges?: readonly BatchRange[];
      }
    | { readonly kind: 'failed'; readonly failure: Failure }
    /** Of an approval: nobody has answered. */
    | { readonly kind: 'unanswered' };
}

/** What a run of a task was given, how its steps have ended, and what somebody has told of them. */
export interface TaskRecording extends Recorded {
  readonly kind: 'task';
  readonly steps: readonly RecordedStep[];
  readonly told: readonly StepSignal[];
}

/** What a run was given, and what came of each of its parts: enough to run it again without any of its code. Plain JSON. */
export type Recording = PipelineRecording | TaskRecording;

/** The form of recordings. */
export const RECORDING_FORM = FORM;

const OBJECT = z.record(z.string(), z.unknown());
const FAILURE = z.looseObject({ type: z.string(), message: z.string() });

const HEAD = {
  form: z.literal(FORM),
  name: z.string(),
  run: z.string(),
  input: OBJECT,
  outcome: z.discriminatedUnion('status', [
    z.object({ status: z.literal('completed'), result: z.unknown() }),
    z.object({ status: z.literal('failed'), failure: FAILURE }),
  ]),
};

const EFFECT = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sets'), sets: z.array(OBJECT) }),
  z.object({
    kind: z.literal('derived'),
    derived: z.array(z.object({ from: z.number(), set: OBJECT })),
  }),
  z.object({ kind: z.literal('ignored'), failure: FAILURE }),
  z.object({ kind: z.literal('failed'), failure: FAILURE }),
]);

const ENDED = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('done'),
    result: z.unknown(),
    branches: z.array(z.string()).optional(),
    ranges: z.array(z.object({ start: z.number(), end: z.number() })).optional(),
  }),
  z.object({ kind: z.literal('failed'), failure: FAILURE }),
  z.object({ kind: z.literal('unanswered') }),
]);

const RECORDING = z.discriminatedUnion('kind', [
  z.object({
    ...HEAD,
    kind: z.literal('pipeline'),
    operations: z.array(z.object({ stage: z.string(), operation: z.string(), effect: EFFECT })),
  }),
  z.object({
    ...HEAD,
    kind: z.literal('task'),
    steps: z.array(z.object({ step: z.string(), ended: ENDED })),
    told: z.array(
      z.looseObject({ kind: z.enum(['retry', 'resolve', 'answer']), step: z.string() }),
    ),
  }),
]);

/**
 * A recording, from its JSON text.
 *
 * @param from - where it is from, for messages
 * @throws {@link RecordingInvalid}
 */
export function parseRecording(text: string, from: string): Recording {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RecordingInvalid(from, error instanceof Error ? error.message : String(error));
  }
  const { success, error } = RECORDING.safeParse(value);
  if (!success) throw new RecordingInvalid(from, z.prettifyError(error));
  // It is JSON, and of this form; zod's own types of the same are not as exact.
  return value as Recording;
}
