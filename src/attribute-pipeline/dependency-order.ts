/** A pipeline among others: what it computes, and what it reads. */
export interface Dependant {
  /** Its id. */
  readonly id: string;
  /** The attribute that it computes. */
  readonly output: string;
  /** The attributes that it reads. */
  readonly inputs: readonly string[];
}

/** Pipelines of which each waits for the next, and the last for the first. */
export class DependencyCycle extends Error {
  override readonly name = 'DependencyCycle';
  constructor(
    /** The attributes, in the order in which each is computed from the one before; the first is the last, too. */
    readonly cycle: readonly string[],
  ) {
    super(
      `The pipelines would wait for each other: ${cycle.join(' → ')}. Take one of these attributes out of the inputs of the next.`,
    );
  }
}

/**
 * The order in which pipelines run: each level needs what the levels before it compute, and nothing of its own. Within a level the order
 * is that of the ids.
 *
 * @throws {@link DependencyCycle}
 */
export function dependencyLevels<D extends Dependant>(
  dependants: readonly D[],
): readonly (readonly D[])[] {
  const makers = new Map(dependants.map((dependant) => [dependant.output, dependant]));
  // Kahn: who waits for nobody any more is next.
  const waitsFor = new Map<D, number>();
  const waiting = new Map<D, D[]>();
  for (const dependant of dependants) {
    const needed = new Set(dependant.inputs.flatMap((input) => makers.get(input) ?? []));
    waitsFor.set(dependant, needed.size);
    for (const maker of needed) waiting.set(maker, [...(waiting.get(maker) ?? []), dependant]);
  }
  const levels: D[][] = [];
  let level = dependants.filter((dependant) => waitsFor.get(dependant) === 0);
  while (level.length > 0) {
    levels.push([...level].sort(byId));
    const next: D[] = [];
    for (const done of level)
      for (const dependant of waiting.get(done) ?? []) {
        const left = (waitsFor.get(dependant) ?? 0) - 1;
        waitsFor.set(dependant, left);
        if (left === 0) next.push(dependant);
      }
    level = next;
  }
  const stuck = dependants.filter((dependant) => (waitsFor.get(dependant) ?? 0) > 0);
  if (stuck.length > 0) throw new DependencyCycle(cycleAmong(stuck));
  return levels;
}

/** All that is computed from what a pipeline computes, directly or not, in the order in which it runs. */
export function dependantsOf<D extends Dependant>(
  attributes: readonly string[],
  dependants: readonly D[],
): readonly (readonly D[])[] {
  const reached = new Set(attributes);
  const found: (readonly D[])[] = [];
  for (const level of dependencyLevels(dependants)) {
    const affected = level.filter(({ inputs }) => inputs.some((input) => reached.has(input)));
    for (const { output } of affected) reached.add(output);
    if (affected.length > 0) found.push(affected);
  }
  return found;
}

function byId(one: Dependant, other: Dependant): number {
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}

/** One of the cycles among pipelines of which each waits for another one of them. */
function cycleAmong(stuck: readonly Dependant[]): readonly string[] {
  const makers = new Map(stuck.map((dependant) => [dependant.output, dependant]));
  const path: string[] = [];
  let at = [...stuck].sort(byId)[0];
  // Each has an input that one of them makes: the way back must meet itself.
  while (at !== undefined && !path.includes(at.output)) {
    path.push(at.output);
    const input = [...at.inputs].sort().find((name) => makers.has(name));
    at = input === undefined ? undefined : makers.get(input);
  }
  if (at === undefined) return path;
  const cycle = path.slice(path.indexOf(at.output)).reverse();
  return [...cycle.slice(-1), ...cycle];
}
