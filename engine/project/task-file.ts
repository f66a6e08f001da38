import { isPlainObject } from '../../src/definition/json.js';
import type { Problem } from '../../src/definition/problem.js';
import type { Path } from '../../src/pipeline/problem-list.js';
import type { TaskSource } from '../../src/task/compile.js';
import { parseWrittenTask } from '../../src/task/written-task.js';
import { nameOf } from './pipeline-file.js';
import { readYaml } from './yaml-file.js';

/**
 * Reads a task template from the text of a YAML file.
 *
 * @param file - its path as messages show it
 * @returns the template if it can be compiled, which does not mean that there are no problems
 */
export function readTask(
  file: string,
  text: string,
): { readonly source?: TaskSource; readonly problems: readonly Problem[] } {
  const { yaml, problems: syntax } = readYaml(file, text);
  if (yaml === undefined) return { problems: syntax };
  if (!isPlainObject(yaml.value)) {
    const message = 'no task is written here. It starts with name: and steps:.';
    return { problems: [...syntax, { site: yaml.locate([]), message }] };
  }
  const { value: definition, told, problems: found } = parseWrittenTask(yaml.value);
  const written = found.map(({ path, unknownName, message }): Problem => ({
    site: unknownName ? yaml.locateName(path) : yaml.locate(path),
    ...nameOf(yaml.value),
    message: `${stepOf(yaml.value, path)}${message}`,
  }));
  return { source: { definition, locate: yaml.locate, told }, problems: [...syntax, ...written] };
}

/** `step "charge": ` for what is in a step that has a name. */
function stepOf(value: unknown, [first, index]: Path): string {
  if (!isPlainObject(value) || first !== 'steps' || typeof index !== 'number') return '';
  const steps = value['steps'];
  const step: unknown = Array.isArray(steps) ? steps[index] : undefined;
  return isPlainObject(step) && typeof step['name'] === 'string' ? `step "${step['name']}": ` : '';
}
