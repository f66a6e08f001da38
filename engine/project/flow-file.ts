import type { DataFlowSource } from '../../src/data-flow/compile.js';
import type { Connectors } from '../../src/data-flow/connectors.js';
import { parseWrittenFlow } from '../../src/data-flow/written-flow.js';
import { isPlainObject } from '../../src/definition/json.js';
import type { Problem } from '../../src/definition/problem.js';
import { nameOf } from './pipeline-file.js';
import { readYaml } from './yaml-file.js';

/**
 * Reads a data flow from the text of a YAML file.
 *
 * @param file - its path as messages show it
 * @returns the flow if it can be compiled, which does not mean that there are no problems
 */
export function readFlow(
  file: string,
  text: string,
  connectors: Connectors,
): { readonly source?: DataFlowSource; readonly problems: readonly Problem[] } {
  const { yaml, problems: syntax } = readYaml(file, text);
  if (yaml === undefined) return { problems: syntax };
  if (!isPlainObject(yaml.value)) {
    const message = 'no data flow is written here. It starts with name:, source: and sink:.';
    return { problems: [...syntax, { site: yaml.locate([]), message }] };
  }
  const { value: definition, told, problems: found } = parseWrittenFlow(yaml.value, connectors);
  const written = found.map(({ path, unknownName, message }): Problem => ({
    site: unknownName ? yaml.locateName(path) : yaml.locate(path),
    ...nameOf(yaml.value),
    message,
  }));
  const source = {
    definition: { ...definition, site: yaml.locate([]) },
    locate: yaml.locate,
    told,
  };
  return { source, problems: [...syntax, ...written] };
}
