import type { CompiledTask } from '../../src/task/compile.js';
import { suggestion } from '../../src/definition/suggestion.js';
import { UsageError } from '../exit-code.js';
import { requireProject } from '../project.js';

/** A task of a project. @throws {@link UsageError} where there is none of that name */
export async function requireTask(dir: string, name: string): Promise<CompiledTask> {
  const { registry } = await requireProject(dir);
  const definition = registry.definitions.get(name);
  if (definition?.kind === 'task') return definition;
  const names = [...registry.definitions.values()]
    .filter(({ kind }) => kind === 'task')
    .map((task) => task.name);
  throw new UsageError(`There is no task "${name}".${suggestion(name, names)}`);
}
