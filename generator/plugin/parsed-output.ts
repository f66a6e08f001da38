import type { Template as Parsed } from 'liquidjs';
import type { Problem, Site } from '../../src/definition/problem.js';
import { unknownName } from '../../src/definition/unknown-name.js';
import { parseText, variablesOf, type TextPlace } from '../template/language.js';
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

/** Parses the texts of an output, and tells of unknown filters, and of names that are no parameters. */
export function parsedOutput(
  { filename, subdir = '', spec }: TemplateOutput,
  { text, file, site, parameters }: OutputSource,
): { readonly output?: ParsedOutput; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const known = parameters.map(({ name }) => name);
  const parsed = (written: string, place: TextPlace): ParameterText | undefined => {
    const { text: read, problem } = parseText(written, place);
    if (problem !== undefined) problems.push(problem);
    if (read === undefined) return undefined;
    problems.push(...unknownVariables(read, known, place.site));
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
  text: Parsed[],
  known: readonly string[],
  site: Site,
): readonly Problem[] {
  const unknown = variablesOf(text).flatMap(([name = '', member]) => {
    if (name === 'project')
      return member === undefined || PROJECT_FACTS.includes(member)
        ? []
        : unknownName(
            `project.${member}`,
            PROJECT_FACTS.map((fact) => `project.${fact}`),
            'variable',
          );
    return known.includes(name) ? [] : unknownName(name, known, 'parameter');
  });
  return [...new Set(unknown)].map((message) => ({ site, message }));
}
