import { isPlainObject } from '../../src/definition/json.js';
import type { Problem } from '../../src/definition/problem.js';
import type { PipelineSource } from '../../src/pipeline/compile.js';
import type { Path } from '../../src/pipeline/problem-list.js';
import { parseWrittenPipeline } from '../../src/pipeline/written-pipeline.js';
import { readYaml } from './yaml-file.js';

/**
 * Reads a pipeline from the text of a YAML file.
 *
 * @param file - its path as messages show it
 * @returns the pipeline if it can be compiled, which does not mean that there are no problems
 */
export function readPipeline(
  file: string,
  text: string,
): { readonly source?: PipelineSource; readonly problems: readonly Problem[] } {
  const { yaml, problems: syntax } = readYaml(file, text);
  if (yaml === undefined) return { problems: syntax };
  if (!isPlainObject(yaml.value)) {
    const message = 'no pipeline is written here. It starts with name: and stages:.';
    return { problems: [...syntax, { site: yaml.locate([]), message }] };
  }
  const { value: definition, told, problems: found } = parseWrittenPipeline(yaml.value);
  const written = found.map(({ path, unknownName, message }): Problem => ({
    site: unknownName ? yaml.locateName(path) : yaml.locate(path),
    ...nameOf(yaml.value),
    message: `${stageOf(yaml.value, path)}${message}`,
  }));
  return { source: { definition, locate: yaml.locate, told }, problems: [...syntax, ...written] };
}

/** The definition that a problem is told with, where it has a name. */
export function nameOf(value: unknown): { readonly definition?: string } {
  return isPlainObject(value) && typeof value['name'] === 'string'
    ? { definition: value['name'] }
    : {};
}

/** `stage "count": ` for what is in a stage that has a name. */
function stageOf(value: unknown, [first, index]: Path): string {
  if (!isPlainObject(value) || first !== 'stages' || typeof index !== 'number') return '';
  const stages = value['stages'];
  const stage: unknown = Array.isArray(stages) ? stages[index] : undefined;
  return isPlainObject(stage) && typeof stage['name'] === 'string'
    ? `stage "${stage['name']}": `
    : '';
}
