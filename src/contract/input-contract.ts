import type { JsonObject } from '../definition/json.js';
import type { PropertyTypes } from './contract.js';
import { objectSchema } from './json-schema.js';
import { validateInput } from './validation.js';

/** What a run is started with: how it is described, and how it is checked. */
export interface InputContract {
  /** JSON Schema. */
  readonly inputSchema: JsonObject;
  /**
   * The input with its defaults.
   *
   * @throws {@link ContractViolation} that names each property that is wrong
   */
  readonly checkInput: (input: JsonObject) => JsonObject;
}

/** The contract that zod types make. */
export function inputContract(types: PropertyTypes): InputContract {
  return {
    inputSchema: objectSchema(types, 'input'),
    checkInput: (input) => validateInput(types, input),
  };
}
