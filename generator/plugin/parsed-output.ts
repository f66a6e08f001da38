import type { Template as Parsed } from 'liquidjs';
import type { Problem, Site } from '../../src/definition/problem.js';
import { unknownName } from '../../src/definition/unknown-name.js';
import { parseText, variablesOf, type TextPlace, type TextVariable } from '../template/language.js';
import { outputPath } from '../project/output-path.js';
import { PROJECT_FACTS } from '../project/facts.js';
import type { TemplateOutput, TemplateParameter } from './manifest.js';

/** A text with parameters, and where it is. */
export interface ParameterText {
  readonly text: Parsed[];
  readonly place: TextPlace;
}

/** A file that a template makes, ready to be filled in. */
export interface ParsedOutput {
  readonly content: ParameterText;
  readonly filename: ParameterText;
  readonly subdir: ParameterText;
  readonly spec: boolean;
}

/** Where an output comes from. */
export interface OutputSource {
  /** The template's own text. */
  readonly text: string;
  /** Its path as messages show it. */
  readonly file: string;
  /** Where a key of the output is written. */
  readonly site: (key: 'filename' | 'subdir') => Site;
  readonly parameters: readonly TemplateParameter[];
}

/** Parses the texts of an output, and tells of unknown filters, of names that are no parameters, and of places outside of the project. */
export function parsedOutput(
  written: TemplateOutput,
  { text, file, site, parameters }: OutputSource,
): { readonly output?: ParsedOutput; readonly problems: readonly Problem[] } {
  const { filename, subdir = '', spec } = written;
  const problems = [...placeProblems(written, site)];
  const known = parameters.map(({ name }) => name);
  const parsed = (liquid: string, place: TextPlace): ParameterText | undefined => {
    const { text: read, problem } = parseText(liquid, place);
    if (problem !== undefined) problems.push(problem);
    if (read === undefined) return undefined;
    problems.push(...unknownVariables(variablesOf(read, place), known));
    return { text: read, place };
  };
  const content = parsed(text, { site: { file }, isFile: true });
  const name = parsed(filename, { site: site('filename'), isFile: false });
  const folder = parsed(subdir, { site: site('subdir'), isFile: false });
  const isRight =
    problems.length === 0 && content !== undefined && name !== undefined && folder !== undefined;
  return {
    ...(isRight && { output: { content, filename: name, subdir: folder, spec } }),
    problems,
  };
}

function unknownVariables(
  variables: readonly TextVariable[],
  known: readonly string[],
): readonly Problem[] {
  return variables.flatMap(({ segments: [name = '', member], site }) => {
    if (name === 'project')
      return member === undefined || PROJECT_FACTS.includes(member)
        ? []
        : { site, message: unknownName(`project.${member}`, FACTS, 'variable') };
    return known.includes(name) ? [] : { site, message: unknownName(name, known, 'parameter') };
  });
}

const FACTS: readonly string[] = PROJECT_FACTS.map((fact) => `project.${fact}`);

/** Why a place cannot be that of a file, whatever the parameters are. */
function placeProblems(
  { filename, subdir = '' }: TemplateOutput,
  site: OutputSource['site'],
): readonly Problem[] {
  const folder = outputPath(withoutParameters(subdir), '…');
  const file = outputPath('', withoutParameters(filename));
  return [
    ...('problem' in folder ? [{ site: site('subdir'), message: folder.problem }] : []),
    ...('problem' in file ? [{ site: site('filename'), message: file.problem }] : []),
  ];
}

/** A text with something that is no path in the place of what is filled in. */
function withoutParameters(text: string): string {
  return text.replaceAll(/\{\{.*?\}\}|\{%.*?%\}/g, '…');
}
