import type { Json, JsonObject } from '../definition/json.js';

/** One entity's share of a batch. */
export interface ScriptItem {
  readonly entityId: string;
  /** By name: `$json`. */
  readonly inputs: JsonObject;
  /** `$value`. */
  readonly value: Json;
  /** `$meta`. */
  readonly meta: JsonObject;
}

/** What has come of it. */
export type ScriptOutcome =
  | {
      readonly kind: 'ok';
      readonly value: Json;
      readonly confidence: number | null;
      readonly justification: string | null;
      readonly meta: JsonObject;
      readonly logs: readonly string[];
    }
  | {
      readonly kind: 'error';
      /** The name of what was thrown. */
      readonly name: string;
      readonly message: string;
      /** In the script, from 1. */
      readonly line: number | null;
      readonly logs: readonly string[];
    };

/** What is wrong with a script. */
export interface ScriptProblem {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** Runs what people have typed in, where it can reach nothing and harm nobody. */
export interface Sandbox {
  /**
   * Runs a script once for each item.
   *
   * @returns outcomes in the order of the items
   * @throws an error that says what has lost the whole batch: its time, its memory, its output; one made by `retryable` where the batch was
   * not run to its end for what others did, and the signal's reason
   */
  readonly run: (
    code: string,
    items: readonly ScriptItem[],
    options?: { readonly signal?: AbortSignal },
  ) => Promise<readonly ScriptOutcome[]>;
  /** What is wrong with a script before it is ever run; undefined when it compiles. */
  readonly check: (code: string) => Promise<ScriptProblem | undefined>;
  readonly close: () => Promise<void>;
}
