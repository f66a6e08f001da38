import { BUILT_IN_OPERATIONS } from '../src/pipeline/built-in/catalog.js';
import type { Registry } from '../engine/registry.js';
import { counted } from './problem-report.js';

/** What there is of a project's own code: `5 operations, 4 step handlers, 1 subscriber`; of what it has none is not told but for operations. */
export function codeCounts(registry: Registry): readonly string[] {
  const { operations, stepHandlers, activities, subscribers } = registry;
  return [
    counted(operations.size - BUILT_IN_OPERATIONS.length, 'operation'),
    ...(stepHandlers.size === 0 ? [] : [counted(stepHandlers.size, 'step handler')]),
    ...(activities.size === 0 ? [] : [counted(activities.size, 'activity', 'activities')]),
    ...(subscribers.size === 0 ? [] : [counted(subscribers.size, 'subscriber')]),
  ];
}
