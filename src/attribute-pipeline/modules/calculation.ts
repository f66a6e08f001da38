import { z } from 'zod';
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
  process: async (contexts, { settings: { code }, sandbox, signal, log }) => {
    const items = contexts.map(({ entityId, inputs, value, meta }) => ({
      entityId,
      inputs,
      value,
      meta,
    }));
    let outcomes: readonly ScriptOutcome[];
    try {
      outcomes = await sandbox.run(code, items, { signal });
    } catch (error) {
      signal.throwIfAborted();
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

function resultOf(outcome: ScriptOutcome): ModuleResult {
  if (outcome.kind === 'error') {
    const { name, message, line } = outcome;
    const where = line === null ? '' : ` (line ${String(line)})`;
    return moduleResult.error(`${name}: ${message}${where}`);
  }
  const { value, confidence, justification, meta, logs } = outcome;
  return moduleResult.ok(value, {
    confidence,
    justification,
    meta: logs.length === 0 ? meta : { ...meta, logs },
  });
}
