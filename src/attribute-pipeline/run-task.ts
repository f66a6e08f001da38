import type { SettingsProblem } from './attribute.js';
import { InvalidSettings } from './catalog-errors.js';
import type { RunTask } from './run.js';

/** Most entities that one run may name: they are part of its workflow's argument. */
export const MAX_RUN_ENTITIES = 1_000;

/** @throws {@link InvalidSettings} for what no run can be asked */
export function checkTask(
  name: string,
  { maxEntities, entityIds, retryOf }: Partial<RunTask>,
): void {
  const problems: SettingsProblem[] = [];
  if (maxEntities !== undefined && !(Number.isInteger(maxEntities) && maxEntities > 0))
    problems.push({ path: 'max_entities', message: 'It is a whole number from 1.' });
  if (entityIds !== undefined && (entityIds.length === 0 || entityIds.length > MAX_RUN_ENTITIES))
    problems.push({
      path: 'entity_ids',
      message: `A run names 1 to ${String(MAX_RUN_ENTITIES)} entities; these are ${String(entityIds.length)}. Use a filter for more.`,
    });
  if (entityIds !== undefined && retryOf !== undefined)
    problems.push({ path: 'retry_of', message: 'It takes the place of entity_ids: give one.' });
  if (problems.length > 0) throw new InvalidSettings(`Run of ${name}`, problems);
}
