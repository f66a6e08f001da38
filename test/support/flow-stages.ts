import { EMPTY_CONTRACT, type Contract, type PropertyTypes } from '../../src/contract/contract.js';
import { likelySlips } from '../../src/pipeline/slip.js';
import type { MergeStrategy } from '../../src/pipeline/merge.js';
import { flowTypes, type FlowOperation, type FlowStage } from '../../src/pipeline/type-flow.js';

/** A part of a contract, or what an operation is called. */
interface Written extends Partial<Contract> {
  readonly name?: string;
  readonly changesCount?: boolean;
  readonly ignoresErrors?: boolean;
}

function operation(
  written: Written | ((incoming: PropertyTypes) => Partial<Contract>),
  at: number,
): FlowOperation {
  const complete = (contract: Partial<Contract>): Contract => ({
    ...EMPTY_CONTRACT,
    ...contract,
  });
  if (typeof written === 'function') {
    return {
      name: `op${String(at)}`,
      changesCount: false,
      ignoresErrors: false,
      contract: (incoming) => complete(written(incoming)),
    };
  }
  const {
    name = `op${String(at)}`,
    changesCount = false,
    ignoresErrors = false,
    ...contract
  } = written;
  return { name, changesCount, ignoresErrors, contract: () => complete(contract) };
}

/** A stage of operations with these contracts. */
export function stage(
  name: string,
  operations: readonly Parameters<typeof operation>[0][],
  merge: MergeStrategy = 'last',
): FlowStage {
  return { name, merge, operations: operations.map(operation) };
}

/** What is wrong with stages, as a person reads it. */
export function messages(
  stages: readonly FlowStage[],
  declared?: PropertyTypes,
): readonly string[] {
  const flow = flowTypes(stages, declared);
  const slips = declared === undefined ? likelySlips(stages, flow) : [];
  return [...flow.problems, ...slips].map(({ severity, message }) =>
    severity === 'warning' ? `warning: ${message}` : message,
  );
}
