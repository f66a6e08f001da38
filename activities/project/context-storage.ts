import { AsyncLocalStorage } from 'node:async_hooks';
import type { ActivityContext } from '../../src/pipeline/context.js';

/** One for the whole process: a project's files may import another copy of this package than its worker is. */
const STORAGE = Symbol.for('millrace.activity-context');

/** Holds the context of the activity that a piece of code runs in. */
export function contextStorage(): AsyncLocalStorage<ActivityContext> {
  // Nobody else writes under this symbol.
  const shared = globalThis as Record<symbol, AsyncLocalStorage<ActivityContext> | undefined>;
  return (shared[STORAGE] ??= new AsyncLocalStorage());
}
