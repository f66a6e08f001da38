/** The JSON text of a row or of a value in it; a bigint becomes a text of its digits, which every reader can keep exact. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // Slower, as it looks at each member; bigints are rare.
    if (error instanceof TypeError) return JSON.stringify(value, bigintAsText);
    throw error;
  }
}

function bigintAsText(_key: string, member: unknown): unknown {
  return typeof member === 'bigint' ? member.toString() : member;
}
