import { EXECUTION } from '../event/event.js';
import { isPlainObject } from '../definition/json.js';
import { unknownName } from '../definition/unknown-name.js';
import type { ProblemList } from '../pipeline/problem-list.js';
import { TASK_LIMITS } from './limits.js';
import { EVENT_CONDITIONS } from './plan.js';
import type { DomainEvent, StepEvent } from './task.js';
import { checkOneOf, checkSchema, checkText, type Written } from './value-check.js';

const EVENT_KEYS = Object.keys({
  name: true,
  condition: true,
  schema: true,
} satisfies Record<keyof Required<StepEvent>, true>);

const DOMAIN_EVENT_KEYS = Object.keys({
  name: true,
  description: true,
  schema: true,
} satisfies Record<keyof Required<DomainEvent>, true>);

/** Words of letters, digits, `_` and `-`, with dots between them: it becomes the name of a channel. */
const EVENT_NAME = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** Tells what is wrong with the events that a step publishes. */
export function checkEvents(events: unknown, what: string, problems: ProblemList): void {
  if (events === undefined) return;
  if (!Array.isArray(events)) {
    problems.add(['publishesEvents'], `${what}publishes_events must be a list.`);
    return;
  }
  if (events.length > TASK_LIMITS.events)
    problems.add(
      ['publishesEvents'],
      `${what}publishes_events has ${String(events.length)} events; the most is ${String(TASK_LIMITS.events)} (events).`,
    );
  for (const [index, event] of (events as readonly unknown[]).entries()) {
    const here = problems.under(['publishesEvents', index]);
    const at = `${what}publishes_events: `;
    if (!isNamed(event, at, here)) continue;
    here.unknownKeys(at, event, EVENT_KEYS);
    checkOneOf(event, 'condition', EVENT_CONDITIONS, at, here);
    checkSchema(event, 'schema', at, here);
  }
}

/** Tells what is wrong with a template's list of events. */
export function checkDomainEvents(events: unknown, problems: ProblemList): void {
  if (events === undefined) return;
  if (!Array.isArray(events)) {
    problems.add(
      ['domainEvents'],
      'domain_events must be a list of { name, description, schema }.',
    );
    return;
  }
  const seen = new Set<string>();
  for (const [index, event] of (events as readonly unknown[]).entries()) {
    const here = problems.under(['domainEvents', index]);
    const at = 'domain_events: ';
    if (!isNamed(event, at, here)) continue;
    const { name } = event;
    if (seen.has(name)) here.add(['name'], `${at}"${name}" is there twice.`);
    seen.add(name);
    here.unknownKeys(at, event, DOMAIN_EVENT_KEYS);
    checkText(event, 'description', at, here);
    checkSchema(event, 'schema', at, here);
  }
}

/**
 * Warns of events that the template's list does not have: whoever reads the list would not know of them.
 *
 * @param at - which of the steps
 */
export function checkListed(
  step: Written,
  listed: unknown,
  at: number,
  problems: ProblemList,
): void {
  const published = step['publishesEvents'];
  if (!Array.isArray(listed) || !Array.isArray(published)) return;
  const known = names(listed);
  for (const [index, name] of names(published).entries())
    // One without a name was told of.
    if (name !== '' && !known.includes(name))
      problems.add(
        ['steps', at, 'publishesEvents', index, 'name'],
        `step "${String(step['name'])}": publishes_events: domain_events does not list it: ${unknownName(name, known, 'event')}`,
        'warning',
      );
}

function names(events: readonly unknown[]): readonly string[] {
  return events.map((event) =>
    isPlainObject(event) && typeof event['name'] === 'string' ? event['name'] : '',
  );
}

function isNamed(
  event: unknown,
  at: string,
  problems: ProblemList,
): event is Written & { readonly name: string } {
  if (!isPlainObject(event) || typeof event['name'] !== 'string' || event['name'] === '') {
    problems.add(['name'], `${at}an event needs a name, such as payment.charged.`);
    return false;
  }
  const { name } = event;
  if (!EVENT_NAME.test(name))
    problems.add(
      ['name'],
      `${at}an event is called ${JSON.stringify(name)}; a name has words of letters, digits, "_" and "-", with dots between them.`,
    );
  else if (name.split('.')[1] === EXECUTION)
    problems.add(
      ['name'],
      `${at}an event is called "${name}"; names whose second word is "${EXECUTION}" are those of Millrace's own events. Choose another name.`,
    );
  return true;
}
