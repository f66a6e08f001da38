import type { PropertyTypes } from '../../src/contract/contract.js';
import type { JsonObject } from '../../src/definition/json.js';
import type { Compilation } from '../../src/pipeline/compile.js';
import type { Operation } from '../../src/pipeline/operation.js';
import { OperationReport } from '../../testing/operation-report.js';
import { runOperation as run, type RunOperationOptions } from '../../testing/run-operation.js';
import { compileSingle, type SingleUse } from '../../testing/single-operation.js';

/** How an operation is used in a pipeline of one stage. */
export interface OperationUseInTest extends Omit<SingleUse, 'types'> {
  /** The declared input; unless given, what is read becomes the input. */
  readonly input?: PropertyTypes;
}

/** A run of an operation on namespaces. */
export interface OperationRunInTest
  extends
    OperationUseInTest,
    Pick<RunOperationOptions<Operation['options'] & object>, 'signal' | 'checkpoint'> {
  readonly namespaces: readonly JsonObject[];
  /** Gets what the operation reports, also when it fails. */
  readonly record?: OperationReport;
}

/** An empty record. */
export function operationRecord(): OperationReport {
  return new OperationReport();
}

/** Compiles a pipeline whose only stage is this operation. */
export function compileOperation(
  operation: Operation,
  { input, ...use }: OperationUseInTest = {},
): Compilation {
  return compileSingle(operation, { ...use, ...(input !== undefined && { types: input }) });
}

/** The messages of what is wrong with a use of an operation. */
export function problemsOf(operation: Operation, use: OperationUseInTest = {}): readonly string[] {
  return compileOperation(operation, use).problems.map((problem) => problem.message);
}

/** Runs an operation as an activity does, and gives the namespaces that its stage leaves. */
export async function runOperation(
  operation: Operation,
  { input, record, ...on }: OperationRunInTest,
): Promise<readonly JsonObject[]> {
  const { namespaces } = await run(operation, {
    ...on,
    ...(input !== undefined && { types: input }),
    ...(record !== undefined && { report: record }),
  });
  return namespaces;
}
