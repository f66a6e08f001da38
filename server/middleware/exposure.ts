import { DefinitionNotFound } from '../../engine/errors.js';
import type { Definition } from '../../engine/registry.js';
import type { Api } from '../api-options.js';
import { HttpProblem } from '../http-problem.js';

/** True when the API may show a definition (seed 000's `expose_pipes`). */
export function isExposed({ settings: { exposePipes } }: Api, name: string): boolean {
  return exposePipes === 'all' || (exposePipes !== 'none' && exposePipes.includes(name));
}

/**
 * A definition that the API may show.
 *
 * @param listed - what is looked for where there is none of that name
 * @throws {@link DefinitionNotFound} (404), and {@link HttpProblem} (403) for one that is not exposed
 */
export function exposedDefinition(api: Api, name: string, listed: Listed = 'pipeline'): Definition {
  const definition = api.engine.definitions.get(name);
  if (definition === undefined) throw new DefinitionNotFound(name, listed);
  if (!isExposed(api, name)) {
    const what = listOf(definition) === 'task' ? 'Task' : 'Pipeline';
    throw new HttpProblem(403, 'forbidden', `${what} not accessible`);
  }
  return definition;
}

/** What a list of definitions is of: tasks have one of their own. */
export type Listed = 'pipeline' | 'task';

/** Which list a definition is in: hand-written workflows are among the pipelines. */
export function listOf({ kind }: Definition): Listed {
  return kind === 'task' ? 'task' : 'pipeline';
}

/** The definitions that the API shows, by name. */
export function exposedDefinitions(
  api: Api,
  serves: (definition: Definition) => boolean,
): readonly Definition[] {
  return [...api.engine.definitions.values()]
    .filter((definition) => isExposed(api, definition.name) && serves(definition))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
