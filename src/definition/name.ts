/** Longest definition name, in characters: it is part of workflow ids, which hold 1,000, and of URLs. */
export const MAX_NAME_LENGTH = 200;

const SHAPE = /^[A-Za-z][A-Za-z0-9_.-]*$/;

/** The types of our own workflows, as workflows/index.ts exports them. */
export const OWN_WORKFLOW_TYPES: readonly string[] = [
  'deliverOutcome',
  'sweepOutcomes',
  'triggerDataFlow',
  'reconcileDataFlows',
  'askRecordStore',
  'refreshAttributes',
  'reconcileAttributes',
  'evaluateAttributes',
  'tryAttributePipeline',
];

/**
 * A definition's name becomes a Temporal workflow type, and Temporal's worker looks types up as properties of an
 * object: a workflow called `toString` would run that function.
 */
const RESERVED = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  'default',
  'prototype',
  'millrace',
  ...OWN_WORKFLOW_TYPES,
]);

/** Why an export of `activities/` cannot be an activity's name, as a sentence, or undefined when it can. */
export function activityNameProblem(name: string): string | undefined {
  if (name === 'default') {
    return 'exports a function as its default: an activity has the name of its export. Write: export async function sendMail() { … }.';
  }
  if (name.length > MAX_NAME_LENGTH) {
    return `exports a function with a name of ${String(name.length)} characters; the longest of an activity is ${String(MAX_NAME_LENGTH)}.`;
  }
  const reserved =
    name in Object.prototype || name.startsWith('__temporal') || name.startsWith('millrace.');
  return reserved
    ? `exports a function "${name}", which is reserved and cannot be an activity. Rename it.`
    : undefined;
}

/**
 * Why a name cannot be a definition's, as a sentence, or undefined when it can.
 *
 * @param example - what a definition of this kind may be called
 */
export function nameProblem(name: unknown, example = 'word-report'): string | undefined {
  if (typeof name !== 'string' || name === '')
    return `has no name. Give it one: name: "${example}".`;
  if (name.length > MAX_NAME_LENGTH) {
    return `has a name of ${String(name.length)} characters; the longest is ${String(MAX_NAME_LENGTH)}.`;
  }
  if (!SHAPE.test(name)) {
    return `is called ${JSON.stringify(name)}; a name starts with a letter and holds letters, digits, "-", "_" and "." only.`;
  }
  if (RESERVED.has(name) || name.startsWith('__') || name.startsWith('millrace.')) {
    return `is called "${name}", which is reserved. Choose another name.`;
  }
  return undefined;
}
