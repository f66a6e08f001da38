import { contextStorage } from './context-storage.js';
import type { ActivityContext } from '../../src/pipeline/context.js';

/**
 * The context of the activity that calls it: signal, log, heartbeat, attempt, run, services. For functions of a project's
 * `activities/` and what they call; operations get theirs as an argument.
 *
 * @example
 * ```ts
 * export async function sendMail(to: string): Promise<void> {
 *   const { signal, log, run } = activityContext();
 *   await fetch('https://mail.example.com', { method: 'POST', body: to, headers: { 'idempotency-key': run.id }, signal });
 *   log.info({ to }, 'mail sent');
 * }
 * ```
 *
 * @throws {@link Error} where no activity of the project runs
 */
export function activityContext(): ActivityContext {
  const context = contextStorage().getStore();
  if (context !== undefined) return context;
  throw new Error(
    'activityContext() was called where no activity of the project runs. Call it inside of a function that a file in activities/ exports, not while the file is loaded.',
  );
}
