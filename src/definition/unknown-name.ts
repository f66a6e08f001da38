import { suggestion } from './suggestion.js';

/** A name that a person wrote and that nothing reads. */
export interface UnknownName {
  readonly name: string;
  /** The sentence that says so, with the name that was probably meant: `unknown key "timeouts". Did you mean "timeout"?` */
  readonly message: string;
}

/**
 * What is written under names that do not exist. Members that are undefined are not written.
 *
 * @param noun - what the names are called: `key`, `option`
 */
export function unknownNames(
  written: Readonly<Record<string, unknown>>,
  known: readonly string[],
  noun: string,
): readonly UnknownName[] {
  return Object.keys(written)
    .filter((name) => written[name] !== undefined && !known.includes(name))
    .map((name) => ({ name, message: unknownName(name, known, noun) }));
}

/** The sentence about a name that does not exist. */
export function unknownName(name: string, known: readonly string[], noun: string): string {
  return `unknown ${noun} "${name}".${suggestion(name, known)}`;
}
