import type { StepType } from './plan.js';
import { TASK_LIMITS } from './limits.js';

/** What of a step its place in the graph follows from. */
export interface GraphStep {
  readonly name: string;
  readonly type: StepType;
  readonly dependencies: readonly string[];
  /** Of a batchable step. */
  readonly worker?: string;
}

/** Something that is wrong with how steps depend on each other. */
export interface GraphProblem {
  readonly step: string;
  readonly message: string;
  readonly severity?: 'warning';
}

/** The steps that a decision may choose: those that depend on it, but for convergences. */
export function branchesOf(decision: string, steps: readonly GraphStep[]): readonly string[] {
  return steps
    .filter(
      ({ type, dependencies }) =>
        type !== 'deferred_convergence' && dependencies.includes(decision),
    )
    .map(({ name }) => name);
}

/** The steps, each after those that it depends on, otherwise in the order in which they are written. There are no cycles. */
export function inOrder<S extends GraphStep>(steps: readonly S[]): readonly S[] {
  const placed = new Set<string>();
  const ordered: S[] = [];
  while (ordered.length < steps.length) {
    const next = steps.find(
      ({ name, dependencies }) =>
        !placed.has(name) && dependencies.every((dependency) => placed.has(dependency)),
    );
    if (next === undefined) break;
    placed.add(next.name);
    ordered.push(next);
  }
  return ordered;
}

/** Everything that is wrong with how steps depend on each other. Names that no step has are told of elsewhere. */
export function graphProblems(steps: readonly GraphStep[]): readonly GraphProblem[] {
  const cycles = cycleProblems(steps);
  if (cycles.length > 0) return cycles;
  const ordered = inOrder(withKnownDependencies(steps));
  return [
    ...steps.flatMap((step) => [...ownProblems(step, steps), ...workerNameProblems(step, steps)]),
    ...depthProblems(ordered),
    ...joinProblems(ordered),
  ];
}

function withKnownDependencies(steps: readonly GraphStep[]): readonly GraphStep[] {
  const names = new Set(steps.map(({ name }) => name));
  return steps.map((step) => ({
    ...step,
    dependencies: step.dependencies.filter((name) => names.has(name)),
  }));
}

/** One problem for each shortest cycle that a step is on, at the one of its steps that is written first. */
function cycleProblems(steps: readonly GraphStep[]): readonly GraphProblem[] {
  const known = withKnownDependencies(steps);
  const open = new Map(known.map((step) => [step.name, step]));
  for (const { name } of inOrder(known)) open.delete(name);
  const told = new Set<string>();
  return [...open.keys()].flatMap((name) => {
    const cycle = cycleFrom(name, open);
    const members = JSON.stringify([...cycle].sort());
    if (cycle.length === 0 || told.has(members)) return [];
    told.add(members);
    const around = [name, ...cycle.slice(1).reverse(), name];
    const message = `it depends on itself: ${around.join(' → ')}. Take one of these dependencies out.`;
    return [{ step: name, message }];
  });
}

/** The shortest way from a step over its dependencies back to itself; empty where there is none. */
function cycleFrom(first: string, open: ReadonlyMap<string, GraphStep>): readonly string[] {
  const ways: (readonly string[])[] = [[first]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const name of open.get(way.at(-1) ?? '')?.dependencies ?? []) {
      if (name === first) return way;
      if (seen.has(name) || !open.has(name)) continue;
      seen.add(name);
      ways.push([...way, name]);
    }
  }
  return [];
}

function ownProblems(step: GraphStep, steps: readonly GraphStep[]): readonly GraphProblem[] {
  const { name, type, dependencies, worker } = step;
  const problem = (message: string): readonly GraphProblem[] => [{ step: name, message }];
  switch (type) {
    case 'decision':
      return branchesOf(name, steps).length > 0
        ? []
        : problem(
            'no step depends on this decision that it could choose: convergences come after what was chosen.',
          );
    case 'batchable':
      return workerProblems(
        step,
        steps.find((other) => other.name === worker),
        steps,
      );
    case 'batch_worker':
      return steps.some((other) => other.worker === name)
        ? []
        : problem(
            `it is never run: no batchable step names it as worker_template. Write batch_config: { worker_template: ${name} } there.`,
          );
    case 'deferred_convergence':
      return dependencies.length > 0
        ? []
        : problem(
            'it is a convergence that depends on nothing. Name the steps that it brings together.',
          );
    default:
      return [];
  }
}

/** Steps that are called like a worker of a batch: `load_rows_001`. */
function workerNameProblems(
  { name }: GraphStep,
  steps: readonly GraphStep[],
): readonly GraphProblem[] {
  const worker = /^(.+)_\d{3,}$/.exec(name)?.[1];
  if (!steps.some((step) => step.type === 'batch_worker' && step.name === worker)) return [];
  return [
    {
      step: name,
      message: `the workers of the batch "${worker ?? ''}" are called ${worker ?? ''}_001, ${worker ?? ''}_002, …. Call this step otherwise.`,
    },
  ];
}

function workerProblems(
  { name }: GraphStep,
  worker: GraphStep | undefined,
  steps: readonly GraphStep[],
): readonly GraphProblem[] {
  // A name that no step has was told of.
  if (worker === undefined) return [];
  if (worker.type !== 'batch_worker')
    return [
      {
        step: name,
        message: `its worker_template "${worker.name}" is of type ${worker.type}. It must be a batch_worker.`,
      },
    ];
  const [first] = steps.filter((other) => other.worker === worker.name);
  if (first !== undefined && first.name !== name)
    return [
      {
        step: name,
        message: `"${first.name}" has the workers "${worker.name}" already. Give each batch its own.`,
      },
    ];
  if (worker.dependencies.includes(name)) return [];
  return [
    {
      step: worker.name,
      message: `it works on the ranges of "${name}" and must depend on it. Write depends_on: [${name}].`,
    },
  ];
}

function depthProblems(ordered: readonly GraphStep[]): readonly GraphProblem[] {
  const depths = new Map<string, number>();
  return ordered.flatMap(({ name, type, dependencies }) => {
    const above = Math.max(0, ...dependencies.map((dependency) => depths.get(dependency) ?? 0));
    const depth = above + (type === 'decision' ? 1 : 0);
    depths.set(name, depth);
    if (type !== 'decision' || depth <= TASK_LIMITS.decisionDepth) return [];
    const message = `it is decision number ${String(depth)} on the way to it; the most is ${String(TASK_LIMITS.decisionDepth)} (decisionDepth). Decide more at once, or start another task.`;
    return [{ step: name, message }];
  });
}

/** Steps that need branches of which a decision may choose one and not the other. */
function joinProblems(ordered: readonly GraphStep[]): readonly GraphProblem[] {
  const byName = new Map(ordered.map((step) => [step.name, step]));
  /** The branches that each step is on, by decision. */
  const branches = new Map<string, ReadonlyMap<string, ReadonlySet<string>>>();
  return ordered.flatMap((step): readonly GraphProblem[] => {
    const mine = new Map<string, Set<string>>();
    for (const dependency of step.dependencies) {
      for (const [decision, chosen] of branches.get(dependency) ?? [])
        mine.set(decision, new Set([...(mine.get(decision) ?? []), ...chosen]));
      if (byName.get(dependency)?.type === 'decision' && step.type !== 'deferred_convergence')
        mine.set(dependency, new Set([...(mine.get(dependency) ?? []), step.name]));
    }
    const [split] = [...mine].filter(([, chosen]) => chosen.size > 1);
    // What comes after a convergence, or has been warned of, is on no branch any more.
    const kept = step.type === 'deferred_convergence' || split !== undefined ? [] : [...mine];
    branches.set(step.name, new Map(kept));
    if (split === undefined || step.type === 'deferred_convergence') return [];
    const [decision, chosen] = split;
    return [
      {
        step: step.name,
        message: `it needs ${[...chosen].map((name) => `"${name}"`).join(' and ')}, and is left out unless "${decision}" chooses all of them. To run it after those that are chosen, write type: deferred_convergence.`,
        severity: 'warning',
      },
    ];
  });
}
