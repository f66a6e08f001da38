import { realpathSync } from 'node:fs';
import { suggestion } from '../src/definition/suggestion.js';
import type { FoundPlugins } from './plugin/search.js';
import type { Plugin, PluginTemplate } from './plugin/plugin.js';
import { plannedChanges, writeChanges, type FileChange } from './project/changes.js';
import { projectFacts } from './project/facts.js';
import { GenerationRefused } from './refusal.js';
import { renderTemplate } from './template/render.js';
import type { GivenValues } from './template/values.js';

/** What is to be generated, and where. */
export interface GenerateRequest {
  /** The project's folder. */
  readonly dir: string;
  readonly template: PluginTemplate;
  /** Values of the template's parameters. */
  readonly values: GivenValues;
  /** Leave out the tests. */
  readonly skipSpec?: boolean;
  /** Write over files that are there and differ. */
  readonly force?: boolean;
  /** Write nothing. */
  readonly dryRun?: boolean;
}

/** What was generated. */
export interface Generated {
  readonly changes: readonly FileChange[];
  /** False where nothing was: by `dryRun`, or since a file is there that differs. */
  readonly written: boolean;
}

/**
 * Generates files from a template: all of them, or none where one is there already that differs.
 *
 * @throws {@link GenerationRefused} with everything that is wrong
 */
export async function generate(request: GenerateRequest): Promise<Generated> {
  const { template, values, skipSpec = false, force = false, dryRun = false } = request;
  const dir = realpathSync(request.dir);
  const files = await renderTemplate(template, { values, skipSpec, project: projectFacts(dir) });
  const changes = plannedChanges(dir, files);
  const isInTheWay = changes.some(({ kind }) => kind === 'differs') && !force;
  if (dryRun || isInTheWay) return { changes, written: false };
  await writeChanges(dir, changes, { force });
  return { changes, written: true };
}

/** A template, and whose it is. */
export interface OfferedTemplate {
  readonly plugin: Plugin;
  readonly template: PluginTemplate;
}

/**
 * Finds a template by its name.
 *
 * @param from - the plugin that it is of; needed where several have one of that name
 * @throws {@link GenerationRefused} where there is none, with what is wrong with plugins that may have had it
 */
export function findTemplate(
  { plugins, problems }: FoundPlugins,
  name: string,
  from?: string,
): OfferedTemplate {
  const asked = plugins.filter((plugin) => from === undefined || plugin.name === from);
  if (asked.length === 0) {
    const names = plugins.map((plugin) => plugin.name);
    const message = `There is no plugin "${from ?? ''}".${suggestion(from ?? '', names)}`;
    throw new GenerationRefused([...problems, { message }]);
  }
  const offered = asked.flatMap((plugin) =>
    plugin.templates.filter((one) => one.name === name).map((template) => ({ plugin, template })),
  );
  const [only, another] = offered;
  if (only === undefined) {
    const names = asked.flatMap(({ templates }) => templates.map((template) => template.name));
    const message = `There is no template "${name}"${from === undefined ? '' : ` in the plugin "${from}"`}.${suggestion(name, names)}`;
    throw new GenerationRefused([...problems, { message }]);
  }
  if (another !== undefined) {
    const owners = offered.map(({ plugin }) => plugin.name);
    const message = `The template "${name}" is offered by ${owners.join(', ')}. Say whose: --plugin ${only.plugin.name}.`;
    throw new GenerationRefused([{ message }]);
  }
  return only;
}
