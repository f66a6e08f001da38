import { unknownName } from '../../src/definition/unknown-name.js';
import type { AttributePlan } from '../../src/attribute-pipeline/plan.js';
import type { ModuleRegistry } from '../../src/attribute-pipeline/modules/module-registry.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { BatchModule } from './module-batch.js';

/**
 * The modules of a plan, as the deployed code has them.
 *
 * @throws PermanentError of type `ModuleNotRegistered`: another worker may have it; `ContractChanged` for settings that the
 *   deployed module does not take any more
 */
export function planModules(
  { modules }: AttributePlan,
  registry: ModuleRegistry,
): readonly BatchModule[] {
  return modules.map(({ module: slug, settings }) => {
    const module = registry.get(slug);
    if (module === undefined)
      throw permanent(
        unknownName(slug, [...registry.keys()], 'module'),
        undefined,
        FAILURE_TYPES.moduleNotRegistered,
      );
    const { definition } = module;
    const parsed = definition.settings.safeParse(settings);
    if (!parsed.success)
      throw permanent(
        `The deployed module ${slug} does not take the settings of the pipeline any more: ${parsed.error.message} Save the pipeline with settings that it takes, and run it again.`,
        undefined,
        FAILURE_TYPES.contractChanged,
      );
    // What schemas of settings give is JSON.
    return { definition, settings: parsed.data as BatchModule['settings'] };
  });
}
