import type { Context } from 'koa';
import { z } from 'zod';
import {
  FILTER_OPERATORS,
  MAX_CONDITIONS,
  type EntityFilter,
  type FilterCondition,
} from '../../src/attribute-pipeline/entity-filter.js';
import { ContractViolation, violationsOf } from '../../src/contract/violation.js';
import type { Json } from '../../src/definition/json.js';
import { invalidParameter } from '../query-parameters.js';
import { queryValue } from '../request-path.js';

/** A text, or none. */
export const nullableText = z.string().nullable();

/** The version that an edit was made from. */
export const lockVersion = z.int().positive();

/** Any value: a body was JSON. */
export const anyJson = z.custom<Json>((value) => value !== undefined, 'a value is needed');

/** Which entities: those of which every condition holds. */
export const entityFilter: z.ZodType<EntityFilter> = z
  .array(
    z
      .strictObject({
        attribute: z.string(),
        operator: z.enum(FILTER_OPERATORS),
        value: anyJson.exactOptional(),
      })
      // JSON has no undefined members.
      .transform((condition) => condition as FilterCondition),
  )
  .max(MAX_CONDITIONS);

/** The query parameter `filter`: conditions as JSON. @throws {@link HttpProblem} 400, {@link ContractViolation} */
export function filterOf(ctx: Context): EntityFilter | undefined {
  const asked = queryValue(ctx, 'filter');
  if (asked === undefined) return undefined;
  let written: unknown;
  try {
    written = JSON.parse(asked);
  } catch {
    throw invalidParameter(
      'filter',
      'a JSON array of conditions such as [{"attribute":"width","operator":">","value":3}]',
    );
  }
  const parsed = entityFilter.safeParse(written);
  if (parsed.success) return parsed.data;
  throw new ContractViolation(
    violationsOf(parsed.error, written).map((violation) => ({
      ...violation,
      path: `filter${violation.path}`,
    })),
  );
}
