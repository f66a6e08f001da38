import Mustache from 'mustache';
import type { JsonObject } from '../../definition/json.js';
import { suggestion } from '../../definition/suggestion.js';

/** Renders prompts: nothing is escaped for HTML, and objects and lists appear as JSON. */
class PromptWriter extends Mustache.Writer {
  constructor() {
    super();
    // The cache would keep every template for as long as the process lives. Its types leave it out.
    Reflect.set(this, 'templateCache', undefined);
  }

  override escapedValue(token: string[], context: Mustache.Context): string {
    return text(context.lookup(token[1] ?? ''));
  }

  override unescapedValue(token: string[], context: Mustache.Context): string {
    return text(context.lookup(token[1] ?? ''));
  }
}

function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * A Mustache template with its variables filled in.
 *
 * @throws Error when the template is malformed, which {@link templateProblem} finds beforehand
 */
export function renderPrompt(template: string, variables: JsonObject): string {
  return new PromptWriter().render(template, variables);
}

/** What is wrong with a template that gets these variables, as a phrase; undefined when nothing is. */
export function templateProblem(
  template: string,
  variables: readonly string[],
): string | undefined {
  try {
    return tokensProblem(new PromptWriter().parse(template) as readonly Token[], variables, false);
  } catch (error) {
    return `it is no Mustache template: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Mustache's own form: kind, name or text, where it begins and ends, and the content of a section. */
type Token = readonly [
  kind: string,
  name: string,
  start: number,
  end: number,
  content?: readonly Token[],
];

function tokensProblem(
  tokens: readonly Token[],
  variables: readonly string[],
  inSection: boolean,
): string | undefined {
  for (const [kind, name, , , content] of tokens) {
    if (kind === 'text' || kind === '!' || kind === '=') continue;
    if (kind === '>') return `it uses the partial {{> ${name}}}; prompts have no partials`;
    const [variable = ''] = name.split('.');
    // Within a section, a name may be a member of the section's value.
    if (!inSection && !variables.includes(variable))
      return unknownVariable(name, variable, variables);
    const within = tokensProblem(content ?? [], variables, inSection || kind === '#');
    if (within !== undefined) return within;
  }
  return undefined;
}

function unknownVariable(name: string, variable: string, variables: readonly string[]): string {
  const hint =
    variables.length === 0
      ? ' There are no inputs'
      : suggestion(variable, variables).replace(/\.$/, '');
  return `it uses {{${name}}}, which is not among the inputs.${hint}`;
}
