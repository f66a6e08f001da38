import { executeBody } from '../../activities/pipeline/operation-body.js';
import type { PropertyTypes } from '../../src/contract/contract.js';
import type { Json, JsonObject } from '../../src/definition/json.js';
import {
  NO_SERVICES,
  type Log,
  type ModelReference,
  type ModelUsage,
  type OperationContext,
  type Progress,
} from '../../src/pipeline/context.js';
import { compilePipeline, type Compilation } from '../../src/pipeline/compile.js';
import type { Operation } from '../../src/pipeline/operation.js';
import { definePipeline } from '../../src/pipeline/pipeline.js';
import { completeStage, operationInputs } from '../../src/pipeline/stage-result.js';
import { z } from 'zod';

/** How an operation is used in a pipeline of one stage. */
export interface OperationUseInTest {
  readonly options?: Readonly<Record<string, unknown>>;
  /** The declared input; unless given, what is read becomes the input. */
  readonly input?: PropertyTypes;
  readonly model?: ModelReference;
  /** Files of the project. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A run of an operation on namespaces. */
export interface OperationRunInTest extends OperationUseInTest {
  readonly namespaces: readonly JsonObject[];
  readonly signal?: AbortSignal;
  /** What the attempt before this one kept. */
  readonly checkpoint?: Json;
  /** Gets what the operation reports, also when it fails. */
  readonly record?: OperationRecord;
}

/** What an operation reports beside its result. */
export interface OperationRecord {
  readonly lines: {
    readonly level: string;
    readonly fields: object;
    readonly message: string | undefined;
  }[];
  readonly usage: ModelUsage[];
  readonly heartbeats: { readonly progress: Progress; readonly checkpoint: Json | undefined }[];
}

/** An empty record. */
export function operationRecord(): OperationRecord {
  return { lines: [], usage: [], heartbeats: [] };
}

/** Compiles a pipeline whose only stage is this operation. */
export function compileOperation(operation: Operation, use: OperationUseInTest = {}): Compilation {
  const definition = definePipeline({
    name: 'test',
    result: 'all',
    stages: [
      {
        name: 'only',
        operations: [
          {
            type: operation,
            options: use.options ?? {},
            ...(use.model !== undefined && { model: use.model.name }),
          },
        ],
      },
    ],
    ...(use.input !== undefined && { input: z.object(use.input) }),
  });
  return compilePipeline(
    { definition, locate: () => undefined },
    {
      operations: new Map([[operation.name, operation]]),
      models: new Map(use.model === undefined ? [] : [[use.model.name, use.model]]),
      readFile: (path) => use.files?.[path],
    },
  );
}

/** The messages of what is wrong with a use of an operation. */
export function problemsOf(operation: Operation, use: OperationUseInTest = {}): readonly string[] {
  return compileOperation(operation, use).problems.map((problem) => problem.message);
}

/** Runs an operation as an activity does, and gives the namespaces that its stage leaves. */
export async function runOperation(
  operation: Operation,
  run: OperationRunInTest,
): Promise<readonly JsonObject[]> {
  const { pipeline, problems } = compileOperation(operation, run);
  const stage = pipeline?.plan.stages[0];
  const plan = stage?.operations[0];
  if (stage === undefined || plan === undefined)
    throw new Error(problems.map(({ message }) => message).join('\n'));
  const inputs = operationInputs(plan, run.namespaces);
  const effect = await executeBody(operation, plan, inputs, contextOf(plan.options ?? {}, run));
  // What crosses to the workflow is JSON.
  return completeStage(stage, run.namespaces, [
    JSON.parse(JSON.stringify(effect)) as typeof effect,
  ]);
}

function contextOf(options: JsonObject, run: OperationRunInTest): OperationContext {
  const record = run.record ?? operationRecord();
  return {
    options,
    signal: run.signal ?? new AbortController().signal,
    log: recordingLog(record),
    heartbeat: (progress, checkpoint) => record.heartbeats.push({ progress, checkpoint }),
    checkpoint: run.checkpoint,
    attempt: 1,
    run: { id: 'pipeline/test/1', name: 'test', kind: 'pipeline' },
    services: NO_SERVICES,
    model: run.model,
    recordUsage: (usage) => record.usage.push(usage),
  };
}

function recordingLog({ lines }: OperationRecord): Log {
  const write =
    (level: string) =>
    (fields: object | string, message?: string): void => {
      lines.push(
        typeof fields === 'string'
          ? { level, fields: {}, message: fields }
          : { level, fields, message },
      );
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
