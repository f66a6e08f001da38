import type { ActivityDependencies, AttributeDependencies } from '../dependencies.js';

/** What a worker needs to compute attributes. @throws for a worker that was made without it */
export function attributeDependencies({ attributes }: ActivityDependencies): AttributeDependencies {
  if (attributes === undefined)
    throw new TypeError('This worker was made without attribute pipelines.');
  return attributes;
}
