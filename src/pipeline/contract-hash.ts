import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Contract } from '../contract/contract.js';
import { objectSchema, typeSchema } from '../contract/json-schema.js';
import { canonicalJson, type JsonObject } from '../definition/json.js';
import type { Operation } from './operation.js';

/** Hex digits of a hash: 96 bits, plenty to tell two contracts apart, and short in every stored plan. */
const DIGITS = 24;

/** The contract that an operation with these options has, whatever reaches it: the one that activities check. */
export function runtimeContract(operation: Operation, options: JsonObject): Contract {
  return operation.contract({ options, incoming: {} });
}

/**
 * Identifies what a plan relies on in an operation: the contract with these options, and the form of its options. A
 * worker whose code has another hash refuses to run the plan's operation.
 */
export function contractHash(operation: Operation, options: JsonObject): string {
  const contract = runtimeContract(operation, options);
  return hash({
    reads: objectSchema(contract.reads, 'input'),
    sets: objectSchema(contract.sets, 'output'),
    deletes: [...contract.deletes].sort(),
    readsAll: contract.readsAll,
    changesCount: operation.changesCount,
    options: operation.options === undefined ? null : typeSchema(operation.options, 'output'),
  });
}

/** A short, stable hash of any JSON value. */
export function hash(value: unknown): string {
  return bytesToHex(sha256(utf8ToBytes(canonicalJson(value)))).slice(0, DIGITS);
}
