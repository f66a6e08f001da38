import { violationsOf } from '../contract/violation.js';
import type { JsonObject } from '../definition/json.js';
import { jsonBytes } from '../definition/json.js';
import { unknownName } from '../definition/unknown-name.js';
import type { SettingsProblem } from './attribute.js';
import { InvalidSettings } from './catalog-errors.js';
import type { AttributeModule, ModuleChecking, ModuleType } from './module.js';
import type { ModuleRegistry } from './modules/module-registry.js';
import { PIPELINE_LIMITS, type PipelineInput, type PipelineSettings } from './pipeline.js';

/** A module as somebody asks for it. */
export interface WrittenModule {
  /** Of one that is there. */
  readonly id?: string;
  /** Its slug. */
  readonly module: string;
  readonly settings: JsonObject;
}

/** A module whose settings are right. */
interface CheckedModule {
  readonly id?: string;
  readonly definition: AttributeModule['definition'];
  /** As its schema gives them, with its defaults. */
  readonly settings: JsonObject;
}

/**
 * Checks the modules of a pipeline, all at once: that there are such, that their settings are right, and that sources come first and a
 * processor last.
 *
 * @param name - of the pipeline, for messages
 * @returns what is kept of them, and what their sources read
 * @throws {@link InvalidSettings}
 */
export async function checkedModules(
  name: string,
  written: readonly WrittenModule[],
  registry: ModuleRegistry,
  checking: ModuleChecking,
): Promise<Pick<PipelineInput, 'modules' | 'inputs' | 'readsElsewhere'>> {
  const problems: SettingsProblem[] = [];
  const checked: CheckedModule[] = [];
  if (written.length > PIPELINE_LIMITS.modules)
    problems.push({
      path: 'modules',
      message: `A pipeline has at most ${String(PIPELINE_LIMITS.modules)} modules; this one has ${String(written.length)}.`,
    });
  else
    for (const [at, module] of written.entries()) {
      const path = `modules[${String(at)}]`;
      const found = await checkedModule(path, module, registry, checking);
      if ('problems' in found) problems.push(...found.problems);
      else checked.push(found);
    }
  if (problems.length === 0)
    problems.push(...orderProblems(checked.map((one) => one.definition.type)));
  if (problems.length > 0) throw new InvalidSettings(name, problems);
  const inputs = checked.flatMap(
    ({ definition, settings }) => definition.inputAttributes?.(settings) ?? [],
  );
  return {
    modules: checked.map(({ id, definition, settings }) => ({
      module: definition.slug,
      settings,
      ...(id !== undefined && { id }),
    })),
    inputs: [...new Set(inputs)],
    readsElsewhere: checked.some(({ definition }) => definition.readsElsewhere === true),
  };
}

async function checkedModule(
  path: string,
  { id, module: slug, settings: written }: WrittenModule,
  registry: ModuleRegistry,
  checking: ModuleChecking,
): Promise<CheckedModule | { readonly problems: readonly SettingsProblem[] }> {
  const module = registry.get(slug);
  if (module === undefined)
    return {
      problems: [
        { path: `${path}.module`, message: unknownName(slug, [...registry.keys()], 'module') },
      ],
    };
  const bytes = jsonBytes(written);
  if (bytes > PIPELINE_LIMITS.settingsBytes)
    return {
      problems: [
        {
          path: `${path}.settings`,
          message: `The settings have ${String(bytes)} bytes as JSON; the most are ${String(PIPELINE_LIMITS.settingsBytes)}.`,
        },
      ],
    };
  const { definition } = module;
  const found = await checkedSettings(definition, written, checking);
  return 'settings' in found
    ? { definition, settings: found.settings, ...(id !== undefined && { id }) }
    : {
        problems: found.problems.map((problem) => ({
          path: inside(`${path}.settings`, problem.path),
          message: problem.message,
        })),
      };
}

/** The settings of a module as its schema gives them, or all that is wrong with them. */
export async function checkedSettings(
  { settings: schema, validateSettings }: AttributeModule['definition'],
  written: JsonObject,
  checking: ModuleChecking,
): Promise<{ readonly settings: JsonObject } | { readonly problems: readonly SettingsProblem[] }> {
  const parsed = schema.safeParse(written);
  if (!parsed.success) return { problems: violationsOf(parsed.error, written) };
  // What schemas of settings give is JSON: they are kept as it.
  const settings = JSON.parse(JSON.stringify(parsed.data)) as JsonObject;
  const problems = (await validateSettings?.(settings, checking)) ?? [];
  return problems.length === 0 ? { settings } : { problems };
}

/** A path within another one. */
function inside(path: string, member: string): string {
  if (member === '') return path;
  return member.startsWith('[') ? `${path}${member}` : `${path}.${member}`;
}

function orderProblems(types: readonly ModuleType[]): readonly SettingsProblem[] {
  const message = orderProblem(types);
  return message === undefined ? [] : [{ path: 'modules', message }];
}

function orderProblem(types: readonly ModuleType[]): string | undefined {
  if (types[0] !== 'source') return 'The first module is a source, such as attributes_source.';
  const first = types.indexOf('processor');
  if (first === -1) return 'There is no processor: the last module computes the value.';
  const late = types.indexOf('source', first);
  if (late !== -1)
    return `Sources come before processors: module ${String(late)} is a source behind one.`;
  return undefined;
}

/** What is wrong with the other settings of a pipeline. */
export function pipelineSettingsProblems({
  name,
  batchSize,
  runBudget,
  dayBudget,
}: Omit<PipelineSettings, 'onError' | 'automatic'>): readonly SettingsProblem[] {
  const problems: SettingsProblem[] = [];
  const { batchSize: most, nameCharacters } = PIPELINE_LIMITS;
  if (name !== null && (name.trim() === '' || name.length > nameCharacters))
    problems.push({
      path: 'name',
      message: `A name has 1 to ${String(nameCharacters)} characters.`,
    });
  if (batchSize !== null && !(Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= most))
    problems.push({
      path: 'batch_size',
      message: `A batch has 1 to ${String(most)} entities; ${String(batchSize)} is none of them.`,
    });
  for (const [path, budget] of [
    ['run_budget', runBudget],
    ['day_budget', dayBudget],
  ] as const)
    if (budget !== null && !(budget >= 0 && Number.isFinite(budget)))
      problems.push({ path, message: `A budget is 0 or more; ${String(budget)} is none.` });
  return problems;
}
