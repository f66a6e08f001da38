import type { Problem } from '../../src/definition/problem.js';
import type { ParameterText } from '../plugin/parsed-output.js';
import type { PluginTemplate } from '../plugin/plugin.js';
import type { GeneratedFile } from '../project/changes.js';
import { outputPath } from '../project/output-path.js';
import type { ProjectFacts } from '../project/facts.js';
import { GenerationRefused } from '../refusal.js';
import { renderText, type Scope } from './language.js';
import { codeProblems } from './code-check.js';
import { CASES } from './cases.js';
import { templateValues, type GivenValues, type TemplateValues } from './values.js';

/** What a template is filled in with. */
export interface RenderOptions {
  readonly values: GivenValues;
  readonly project: ProjectFacts;
  /** Leave out the tests. */
  readonly skipSpec?: boolean;
}

/**
 * Fills in a template. Nothing is written.
 *
 * @throws {@link GenerationRefused} with everything that is wrong: values, paths, code that is none
 */
export async function renderTemplate(
  template: PluginTemplate,
  { values: given, project, skipSpec = false }: RenderOptions,
): Promise<readonly GeneratedFile[]> {
  const { values, problems: wrong } = templateValues(template, given);
  if (wrong.length > 0) throw new GenerationRefused(wrong);
  const problems: Problem[] = [];
  const scope: Scope = { ...values, project: { ...project } };
  const files = template.outputs
    .filter(({ spec }) => !(spec && skipSpec))
    .flatMap(({ content, filename, subdir }) => {
      const [text, name, folder] = [content, filename, subdir].map((part) =>
        filled(part, scope, problems),
      );
      if (text === undefined || name === undefined || folder === undefined) return [];
      const placed = outputPath(folder, name);
      if ('path' in placed) return { path: placed.path, text: text.replace(/^\n+/, '') };
      problems.push({ site: filename.place.site, message: placed.problem });
      return [];
    });
  problems.push(...twice(files), ...(await codeProblems(files, writtenNames(values))));
  if (problems.length > 0) throw new GenerationRefused(problems);
  return files;
}

function filled(
  { text, place }: ParameterText,
  scope: Scope,
  problems: Problem[],
): string | undefined {
  const result = renderText(text, scope, place);
  if ('rendered' in result) return result.rendered;
  problems.push(result.problem);
  return undefined;
}

/** The values, and how code writes them. */
function writtenNames(values: TemplateValues): ReadonlySet<string> {
  const given = Object.values(values).filter((value) => value !== null);
  return new Set(
    given.flatMap((value) => [value, ...Object.values(CASES).map((change) => change(value))]),
  );
}

function twice(files: readonly GeneratedFile[]): readonly Problem[] {
  return files
    .filter(({ path }, at) => files.findIndex((other) => other.path === path) < at)
    .map(({ path }) => ({ message: `two outputs of the template make one file, ${path}.` }));
}
