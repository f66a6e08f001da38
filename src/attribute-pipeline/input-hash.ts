import { canonicalJson, type JsonObject } from '../definition/json.js';

/** A module of a pipeline, as far as what comes out depends on it. */
export interface HashedModule {
  readonly module: string;
  readonly settings: JsonObject;
}

/** SHA-256 of a text in UTF-8, as 64 hexadecimal digits. */
export type Sha256 = (text: string) => string;

/**
 * Hashes of what a pipeline computes an entity's value from: what its sources have given, the settings of all of its modules, and its
 * version. The same inputs give the same hash however their members are ordered and their numbers are written.
 *
 * @returns the hash for what the sources have given for an entity
 */
export function inputHasher(
  pipeline: { readonly version: number; readonly modules: readonly HashedModule[] },
  sha256: Sha256,
): (inputs: JsonObject) => string {
  const modules = pipeline.modules.map(({ module, settings }) => ({ module, settings }));
  // Of a run it is the same for each entity. Written so that the whole is canonical JSON as well.
  const head = `{"modules":${canonicalJson(modules)},"pipeline_version":${String(pipeline.version)},"sources":`;
  const canonical = canonicalInputs();
  return (inputs) => sha256(`${head}${canonical(inputs)}}`);
}

/** {@link canonicalJson}, quicker for what the entities of a run have: a few plain values, under the same names for all of them. */
function canonicalInputs(): (inputs: JsonObject) => string {
  let sorted: readonly (readonly [name: string, text: string])[] = [];
  return (inputs) => {
    const names = Object.keys(inputs);
    if (names.length !== sorted.length || !sorted.every(([name]) => Object.hasOwn(inputs, name)))
      sorted = names.sort().map((name) => [name, JSON.stringify(name)]);
    let members = '';
    for (const [name, text] of sorted) {
      const value = inputs[name] ?? null;
      const written = typeof value === 'object' ? canonicalJson(value) : JSON.stringify(value);
      members += `${members === '' ? '' : ','}${text}:${written}`;
    }
    return `{${members}}`;
  };
}
