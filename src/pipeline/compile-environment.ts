import type { Operation } from './operation.js';

/** What a definition may refer to. */
export interface CompileEnvironment {
  readonly operations: ReadonlyMap<string, Operation>;
  /** Models of config.yml, with what each can do. */
  readonly models: ReadonlyMap<string, { readonly capabilities: readonly string[] }>;
  /** The text of a file of the project, by its path in the project; undefined when there is none. */
  readonly readFile: (path: string) => string | undefined;
}
