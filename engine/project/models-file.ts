import { parseModels, type Models } from '../../src/config/models.js';
import { references } from '../../src/config/references.js';
import type { Problem } from '../../src/definition/problem.js';
import { isUnset, type Environment } from './secrets.js';
import { readYaml } from './yaml-file.js';

/**
 * Reads the models from the text of a `config.yml`. References to secrets stay references; that the environment has
 * those it should have is checked.
 *
 * @param file - its path as messages show it
 */
export function readModels(
  file: string,
  text: string,
  env: Environment,
): { readonly models: Models; readonly problems: readonly Problem[] } {
  const { yaml, problems: syntax } = readYaml(file, text);
  if (yaml === undefined) return { models: new Map(), problems: syntax };
  const { models, problems: found } = parseModels(yaml.value);
  const wrong = found.map(({ path, unknownName, message }): Problem => ({
    site: unknownName ? yaml.locateName(path) : yaml.locate(path),
    message: `${path[0] === 'models' && path.length > 2 ? `model "${String(path[1])}": ` : ''}${message}`,
  }));
  const unset = references(yaml.value)
    .filter(({ kind, name }) => kind === 'env' && isUnset(env, name))
    .map(({ name, path }): Problem => ({
      site: yaml.locate(path),
      message: `the environment variable ${name} is not set. Set it before you start, or take the reference out.`,
    }));
  return { models, problems: [...syntax, ...wrong, ...unset] };
}
