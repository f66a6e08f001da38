import { unknownName } from '../src/definition/unknown-name.js';
import { GenerationRefused } from './refusal.js';

/** What `millrace generate` makes, each by the template of its name. */
export const KINDS = [
  'pipeline',
  'operation',
  'workflow',
  'data-flow',
  'record-pipeline',
  'module',
  'step-handler',
  'task-template',
  'subscriber',
] as const;

/** The types that step handlers have; `base` unless one is named. */
export const HANDLER_TYPES = ['base', 'api', 'decision', 'batchable'] as const;

/**
 * The name of the template that makes a kind of thing.
 *
 * @param type - of a step handler
 * @param isForeign - another plugin than Millrace's own is asked, whose templates may be called anything
 * @throws {@link GenerationRefused}
 */
export function templateOf(kind: string, type: string | undefined, isForeign: boolean): string {
  const problems: string[] = [];
  if (!isForeign && !KINDS.some((known) => known === kind))
    problems.push(`Cannot generate: ${unknownName(kind, KINDS, 'kind')}`);
  if (!isForeign && type !== undefined && kind !== 'step-handler')
    problems.push(`Only step handlers have a type: take --type out, or generate a step-handler.`);
  else if (!isForeign && type !== undefined && !HANDLER_TYPES.some((known) => known === type))
    problems.push(unknownName(type, HANDLER_TYPES, 'type'));
  if (problems.length > 0) throw new GenerationRefused(problems.map((message) => ({ message })));
  return type === undefined || type === 'base' ? kind : `${kind}-${type}`;
}
