import { z } from 'zod';
import { ownMember, type JsonObject } from '../../definition/json.js';
import { defineGenericOperation } from '../operation.js';
import { conditionProblem, satisfies } from './condition.js';
import { sparseType } from './property-type.js';

const options = z
  .object({
    /** Property -> a value it must equal, or comparisons that must hold. All of them must. */
    where: z.record(z.string().min(1), z.json()),
    /** What happens to the namespaces that match. */
    matching: z.enum(['keep', 'drop']).default('keep'),
  })
  .superRefine(({ where }, context) => {
    if (Object.keys(where).length === 0) {
      context.addIssue({
        code: 'custom',
        path: ['where'],
        message: 'it has no condition. Write where: { score: { gte: 0.5 } }',
      });
    }
    for (const [name, condition] of Object.entries(where)) {
      const message = conditionProblem(condition);
      if (message !== undefined)
        context.addIssue({ code: 'custom', path: ['where', name], message });
    }
  });

/**
 * Keeps the namespaces that match (or drops them, under `matching: drop`); none may be left. Comparisons: `eq`, `ne`,
 * `gt`, `gte`, `lt`, `lte`, `in`, `contains`, `exists`. A property that a namespace lacks counts as null.
 *
 * @example
 * ```yaml
 * - type: filter
 *   options:
 *     where: { language: en, score: { gte: 0.5 }, page: { exists: true } }
 * ```
 */
export const filter = defineGenericOperation({
  name: 'filter',
  description: 'Keeps the namespaces that match.',
  options,
  changesCount: true,
  leaves: 'fewer',
  quick: true,
  contract: ({ options: { where }, incoming }) => ({
    reads: Object.fromEntries(Object.keys(where).map((name) => [name, sparseType(incoming, name)])),
  }),
  runBatch: ({ inputs, options: { where, matching } }) => {
    const matches = (namespace: JsonObject): boolean =>
      Object.entries(where).every(([name, condition]) =>
        satisfies(ownMember(namespace, name), condition),
      );
    // Properties of namespaces are JSON.
    return (inputs as readonly JsonObject[]).flatMap((namespace, from) =>
      matches(namespace) === (matching === 'keep') ? [{ from, set: {} }] : [],
    );
  },
});
