import type { Problem } from '../../definition/problem.js';
import type { AttributeModule } from '../module.js';
import { aiPrompt } from './ai-prompt.js';
import { attributesSource } from './attributes-source.js';
import { calculation } from './calculation.js';

/** The modules that every project has. */
export const BUILT_IN_MODULES: readonly AttributeModule[] = [
  attributesSource,
  calculation,
  aiPrompt,
];

/** Modules by their slugs. */
export type ModuleRegistry = ReadonlyMap<string, AttributeModule>;

const SLUG = /^[a-z][a-z0-9_]{0,99}$/;

/**
 * The modules of a project beside those that every project has.
 *
 * @returns those that are right, and all that is wrong with the others
 */
export function moduleRegistry(own: readonly AttributeModule[]): {
  readonly modules: ModuleRegistry;
  readonly problems: readonly Problem[];
} {
  const modules = new Map(BUILT_IN_MODULES.map((module) => [module.definition.slug, module]));
  const problems: Problem[] = [];
  for (const module of own) {
    const { slug } = module.definition;
    const message = moduleProblem(module, modules.get(slug));
    if (message === undefined) modules.set(slug, module);
    else
      problems.push({
        ...(module.site !== undefined && { site: module.site }),
        definition: slug,
        message,
      });
  }
  return { modules, problems };
}

function moduleProblem(
  { definition: { slug, type, inputAttributes, inputView, readsElsewhere } }: AttributeModule,
  taken: AttributeModule | undefined,
): string | undefined {
  if (!SLUG.test(slug))
    return `module ${JSON.stringify(slug)}: a slug begins with a small letter, and has small letters, digits and "_", at most 100 of them.`;
  if (taken !== undefined)
    return BUILT_IN_MODULES.includes(taken)
      ? `module "${slug}" is called as one of Millrace's own. Give it another slug.`
      : `module "${slug}" is there twice. Give one of them another slug.`;
  const reading = [inputAttributes, inputView, readsElsewhere];
  if (type === 'processor' && reading.some((option) => option !== undefined))
    return `module "${slug}" is a processor, which reads what sources give: inputAttributes, inputView and readsElsewhere are for sources.`;
  return undefined;
}
