import { validateReads, validateSets } from '../../src/contract/validation.js';
import { ContractViolation } from '../../src/contract/violation.js';
import type { Contract } from '../../src/contract/contract.js';
import { jsonBytes, type JsonObject } from '../../src/definition/json.js';
import type { OperationContext } from '../../src/pipeline/context.js';
import { contractHash, runtimeContract } from '../../src/pipeline/contract-hash.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import type { Namespace } from '../../src/pipeline/namespace.js';
import type { Operation } from '../../src/pipeline/operation.js';
import type { Effect } from '../../src/pipeline/operation-task.js';
import { MAX_PAYLOAD_BYTES, payloadFailure } from '../../src/pipeline/payload-limit.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { OperationPlan } from '../../src/pipeline/plan.js';

/** The deployed contract of an operation with some options. */
interface DeployedContract {
  readonly contract: Contract;
  readonly hash: string;
}

/** Contracts of the deployed code, by what plans say of them: making one takes longer than many an operation. */
const contracts = new WeakMap<Operation, Map<string, DeployedContract>>();

/** Most contracts of an operation that are kept. They come from plans, of which a worker sees few. */
const MAX_KEPT = 100;

/**
 * Executes an operation on its namespaces: contract known, reads validated, body run, sets validated.
 *
 * @throws {@link ContractViolation}, a permanent error for a changed contract or a result that is too large, and
 *   whatever the body throws
 */
export async function executeBody(
  operation: Operation,
  plan: OperationPlan,
  inputs: readonly Namespace[],
  context: OperationContext,
): Promise<Effect> {
  const contract = plannedContract(operation, plan);
  const valid = inputs.map((input) => validateReads(contract, input));
  const effect = await effectOf(operation, contract, valid, context);
  requireSize(plan, effect);
  return effect;
}

/** The deployed contract, which must be the one that the plan was made for. */
function plannedContract(operation: Operation, plan: OperationPlan): Contract {
  const { contract, hash: deployed } = deployedContract(operation, plan);
  if (deployed === plan.contractHash) return contract;
  throw permanent(
    `The contract of operation "${operation.name}" has changed since this run started. Start a new run, or deploy a ` +
      'changed contract under a new operation name while old runs finish.',
    { planned: plan.contractHash, deployed },
    FAILURE_TYPES.contractChanged,
  );
}

function deployedContract(
  operation: Operation,
  { options = {}, optional = [] }: OperationPlan,
): DeployedContract {
  const kept = contracts.get(operation) ?? new Map<string, DeployedContract>();
  contracts.set(operation, kept);
  const key = JSON.stringify([options, optional]);
  const known = kept.get(key) ?? {
    contract: runtimeContract(operation, { options, optional }),
    hash: contractHash(operation, { options, optional }),
  };
  if (kept.size < MAX_KEPT) kept.set(key, known);
  return known;
}

async function effectOf(
  operation: Operation,
  contract: Contract,
  inputs: readonly JsonObject[],
  context: OperationContext,
): Promise<Effect> {
  const { body } = operation;
  const carried = new Set(contract.carriesAll ? inputs.flatMap(Object.keys) : []);
  switch (body.kind) {
    case 'each': {
      const sets: JsonObject[] = [];
      for (const input of inputs) {
        context.signal.throwIfAborted();
        sets.push(
          validateSets(contract, record(operation, await body.run({ ...context, input })), carried),
        );
      }
      return { kind: 'sets', sets };
    }
    case 'batch': {
      const returned = list(operation, await body.run({ ...context, inputs }));
      requireCount(operation, inputs.length, returned.length);
      return {
        kind: 'sets',
        sets: returned.map((item) => validateSets(contract, record(operation, item), carried)),
      };
    }
    case 'derive': {
      const returned = list(operation, await body.run({ ...context, inputs }));
      return {
        kind: 'derived',
        derived: returned.map(({ from, set }) => {
          requireFrom(operation, inputs.length, from);
          return { from, set: validateSets(contract, record(operation, set), carried) };
        }),
      };
    }
  }
}

function requireFrom(operation: Operation, count: number, from: number): void {
  if (Number.isInteger(from) && from >= 0 && from < count) return;
  throw violation(
    operation,
    `returned a namespace made from number ${String(from)}, but it got ${String(count)}`,
  );
}

function requireCount(operation: Operation, expected: number, got: number): void {
  if (expected === got) return;
  throw violation(
    operation,
    `got ${String(expected)} namespaces and returned ${String(got)}. An operation that changes their number must declare changesCount`,
  );
}

function list<T>(operation: Operation, returned: readonly T[]): readonly T[] {
  // Plain JavaScript may return anything.
  const isList: boolean = Array.isArray(returned);
  if (isList) return returned;
  throw violation(operation, 'must return a list with one entry for each namespace');
}

function record<T>(operation: Operation, returned: T): T {
  if (typeof returned === 'object' && returned !== null && !Array.isArray(returned))
    return returned;
  const got = returned === undefined ? 'undefined' : JSON.stringify(returned).slice(0, 40);
  throw violation(operation, `must return an object of the properties it sets, got ${got}`);
}

function violation(operation: Operation, what: string): ContractViolation {
  return new ContractViolation([
    { path: '', got: '', message: `Operation "${operation.name}" ${what}` },
  ]);
}

function requireSize(plan: OperationPlan, effect: Effect): void {
  const bytes = jsonBytes(effect);
  const tooLarge = payloadFailure(`The result of operation "${plan.name}"`, bytes);
  if (tooLarge === undefined) return;
  throw permanent(tooLarge.message, { bytes, limit: MAX_PAYLOAD_BYTES }, tooLarge.type);
}
