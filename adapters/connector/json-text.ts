/** A value that JSON cannot carry: one that refers to itself, for instance. */
export class NoJson extends TypeError {}

/**
 * The JSON text of a row or of a value in it; a bigint becomes a text of its digits, which every reader can keep exact.
 *
 * @throws {@link NoJson}
 */
export function jsonText(value: unknown): string {
  try {
    return existing(JSON.stringify(value));
  } catch (error) {
    // Slower, as it looks at each member; bigints are rare.
    if (error instanceof TypeError) return textWithBigints(value);
    throw error;
  }
}

function textWithBigints(value: unknown): string {
  try {
    return existing(JSON.stringify(value, bigintAsText));
  } catch (error) {
    if (error instanceof TypeError) throw new NoJson(error.message, { cause: error });
    throw error;
  }
}

/** A function has no JSON, nor has an object whose own `toJSON` gives none. */
function existing(text: unknown): string {
  if (typeof text === 'string') return text;
  throw new NoJson('The value has no JSON.');
}

function bigintAsText(_key: string, member: unknown): unknown {
  return typeof member === 'bigint' ? member.toString() : member;
}
