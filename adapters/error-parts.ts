/*
 * Parts of errors, found by their names and not by `instanceof`: native code that several realms of a process share, such as those
 * of test files, throws the errors of the first one.
 */

/** The code of an error of Node, PostgreSQL or SQLite, such as `ECONNREFUSED`, `23505` or `SQLITE_FULL`. */
export function errorCode(error: unknown): string | undefined {
  return textOf(error, 'code');
}

/** What went wrong, in words. */
export function errorMessage(error: unknown): string {
  // Node tries each address that a name has, and puts what came of them together without a message.
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map(errorMessage).join(', ');
  return textOf(error, 'message') ?? String(error);
}

/** The class of an error, such as `RangeError`; undefined for what is none. */
export function errorName(error: unknown): string | undefined {
  return textOf(error, 'name');
}

/** Where it was thrown. */
export function errorStack(error: unknown): string | undefined {
  return textOf(error, 'stack');
}

function textOf(error: unknown, name: string): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}
