import { z } from 'zod';
import { isRetryable } from '../../pipeline/permanent.js';
import type { ScriptOutcome } from '../sandbox.js';
import { defineModule, moduleResult, type ModuleResult } from '../module.js';

const settings = z.strictObject({
  code: z.string().min(1).meta({
    title: 'Code',
    description:
      'JavaScript that ends with return: a value, or { value, confidence, justification }. $json has the inputs by name, $input(name) gives one, $value is the current value, $helpers has functions.',
    widget: 'code',
  }),
});

/** Times that a batch asks for its turn, which the sandbox refuses while too many wait. */
const MOST_ASKED = 60;

/** Most characters of what an entity has written that its failure tells. */
const MAX_LOGGED = 500;

/** Computes a value by JavaScript that people have typed in. */
export const calculation = defineModule({
  slug: 'calculation',
  label: 'Calculation',
  description: 'Computes the value by JavaScript.',
  type: 'processor',
  settings,
  validateSettings: async ({ code }, { sandbox }) => {
    const problem = await sandbox.check(code);
    return problem === undefined ? [] : [{ path: 'code', message: problem.message }];
  },
  process: async (contexts, { settings: { code }, sandbox, signal, log, sleep }) => {
    const items = contexts.map(({ entityId, inputs, value, meta }) => ({
      entityId,
      inputs,
      value,
      meta,
    }));
    let outcomes: readonly ScriptOutcome[];
    try {
      outcomes = await inTurn(sleep, () => sandbox.run(code, items, { signal }));
    } catch (error) {
      signal.throwIfAborted();
      // Others were in its way, which says nothing of its entities.
      if (isRetryable(error)) throw error;
      // The same script would come to the same end: another attempt is no use.
      const message = error instanceof Error ? error.message : String(error);
      return contexts.map(() => moduleResult.error(message));
    }
    return outcomes.map((outcome, at) => {
      const { logs } = outcome;
      if (logs.length > 0)
        log.debug({ entity: items[at]?.entityId, lines: logs }, 'a calculation has written');
      return resultOf(outcome);
    });
  },
});

/** Asks again after as long as the error says, where it says so. */
async function inTurn<T>(sleep: (ms: number) => Promise<void>, ask: () => Promise<T>): Promise<T> {
  for (let asked = 1; ; asked += 1) {
    try {
      return await ask();
    } catch (error) {
      const waitMs = isRetryable(error) ? error.retryAfterMs : undefined;
      if (waitMs === undefined || asked === MOST_ASKED) throw error;
      await sleep(waitMs);
    }
  }
}

function resultOf(outcome: ScriptOutcome): ModuleResult {
  if (outcome.kind === 'error') {
    const { name, message, line } = outcome;
    const where = line === null ? '' : ` (line ${String(line)})`;
    return moduleResult.error(`${name}: ${message}${where}${logged(outcome.logs)}`);
  }
  const { value, confidence, justification, meta, logs } = outcome;
  return moduleResult.ok(value, {
    confidence,
    justification,
    meta: logs.length === 0 ? meta : { ...meta, logs },
  });
}

/** What was written last tells most of what went wrong after it. */
function logged(logs: readonly string[]): string {
  if (logs.length === 0) return '';
  const text = logs.join(' | ');
  return ` (logged: ${text.length > MAX_LOGGED ? `…${text.slice(-MAX_LOGGED)}` : text})`;
}
