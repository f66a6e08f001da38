import type { StepPlan, TaskPlan } from './plan.js';

/**
 * A task's steps and how they depend on each other, as a Mermaid flowchart: decisions are rhombuses, batches are stacked, approvals
 * are hexagons; what a decision may leave out is dotted.
 */
export function mermaid({ steps }: TaskPlan): string {
  const ids = new Map(steps.map(({ name }, at) => [name, `s${String(at)}`]));
  const decisions = new Map(steps.map((step) => [step.name, step.branches ?? []]));
  const arrows = steps.flatMap(({ name, type, dependencies }) =>
    dependencies.map((dependency) => {
      const chosen = decisions.get(dependency)?.includes(name) === true;
      const maybe = chosen || type === 'deferred_convergence';
      return `  ${ids.get(dependency) ?? ''} ${maybe ? '-.->' : '-->'} ${ids.get(name) ?? ''}`;
    }),
  );
  const nodes = steps.map((step) => `  ${ids.get(step.name) ?? ''}${nodeOf(step)}`);
  return `${['flowchart TD', ...nodes, ...arrows].join('\n')}\n`;
}

function nodeOf({ name, type, batch }: StepPlan): string {
  switch (type) {
    case 'decision':
      return `{"${name}"}`;
    case 'batchable':
      return `[/"${name}<br>ranges of ${String(batch?.size ?? 1)}"/]`;
    case 'batch_worker':
      return `[["${name}<br>one for each range"]]`;
    case 'deferred_convergence':
      return `(["${name}"])`;
    case 'approval':
      return `{{"${name}<br>approval"}}`;
    case 'standard':
      return `["${name}"]`;
  }
}
