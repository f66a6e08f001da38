import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { anyValue, type Contract, type PropertyTypes } from '../contract/contract.js';
import { objectSchema, typeSchema } from '../contract/json-schema.js';
import { canonicalJson, type JsonObject } from '../definition/json.js';
import type { Operation } from './operation.js';

/** Hex digits of a hash: 96 bits, plenty to tell two contracts apart, and short in every stored plan. */
const DIGITS = 24;

/** What a plan knows of the contract that an operation has in its place. */
export interface PlannedContract {
  readonly options?: JsonObject;
  /** The properties that may be absent, of those that it reads. */
  readonly optional?: readonly string[];
}

/** The contract that activities check: an operation's with these options, without the types that reach its place. */
export function runtimeContract(
  operation: Operation,
  { options = {}, optional = [] }: PlannedContract,
): Contract {
  const { reads } = operation.contract({ options, incoming: {} });
  const incoming: PropertyTypes = Object.fromEntries(
    Object.keys(reads).map((name) => [
      name,
      optional.includes(name) ? anyValue.optional() : anyValue,
    ]),
  );
  return operation.contract({ options, incoming });
}

/**
 * Identifies what a plan relies on in an operation: the contract with these options, and the form of its options. A
 * worker whose code has another hash refuses to run the plan's operation.
 */
export function contractHash(operation: Operation, planned: PlannedContract): string {
  const contract = runtimeContract(operation, planned);
  return hash({
    reads: objectSchema(contract.reads, 'input'),
    sets: objectSchema(contract.sets, 'output'),
    deletes: [...contract.deletes].sort(),
    readsAll: contract.readsAll,
    carriesAll: contract.carriesAll,
    changesCount: operation.changesCount,
    options: operation.options === undefined ? null : typeSchema(operation.options, 'output'),
  });
}

/** A short, stable hash of any JSON value. */
export function hash(value: unknown): string {
  return bytesToHex(sha256(utf8ToBytes(canonicalJson(value)))).slice(0, DIGITS);
}
