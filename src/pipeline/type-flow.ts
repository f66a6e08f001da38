import { z } from 'zod';
import { describeType, mayFlow, sameType } from '../contract/compatibility.js';
import { isOptional, type Contract, type PropertyTypes } from '../contract/contract.js';
import { nearMiss } from '../definition/suggestion.js';
import type { MergeStrategy } from './merge.js';

/** What the type flow needs to know of a stage. Contracts may depend on what reaches the stage. */
export interface FlowStage {
  readonly name: string;
  readonly merge: MergeStrategy;
  readonly operations: readonly FlowOperation[];
}

/** What the type flow needs to know of an operation in a stage. */
export interface FlowOperation {
  readonly name: string;
  readonly changesCount: boolean;
  readonly contract: (incoming: PropertyTypes) => Contract;
}

/** Something that cannot work, found at an operation (or at a stage as a whole). */
export interface FlowProblem {
  readonly stage: number;
  readonly operation?: number;
  readonly message: string;
  readonly severity?: 'error' | 'warning';
}

/** What a pipeline needs, what it leaves, and the contracts its operations have in their places. */
export interface TypeFlow {
  readonly input: PropertyTypes;
  readonly output: PropertyTypes;
  readonly contracts: readonly (readonly Contract[])[];
  readonly problems: readonly FlowProblem[];
}

interface Origin {
  readonly type: z.ZodType;
  /** The stage that set it, or undefined for the run's input. */
  readonly setBy?: string;
}

/**
 * Follows the properties through the stages. A property that is read before any stage sets it belongs to the input;
 * one that was deleted, or that reaches a reader as another type, is a problem.
 *
 * @param declared - the input that the definition declares; reads of anything else are then problems.
 */
export function flowTypes(
  stages: readonly FlowStage[],
  declared: PropertyTypes | undefined,
): TypeFlow {
  const flow = new Flow(declared);
  const contracts = stages.map((stage, index) => flow.enter(stage, index));
  return { input: flow.input, output: flow.left(), contracts, problems: flow.problems };
}

class Flow {
  readonly problems: FlowProblem[] = [];
  readonly #declared: PropertyTypes | undefined;
  #input: Record<string, z.ZodType>;
  readonly #available = new Map<string, Origin>();
  readonly #deletedBy = new Map<string, string>();

  constructor(declared: PropertyTypes | undefined) {
    this.#declared = declared;
    this.#input = { ...declared };
    for (const [name, type] of Object.entries(this.#input)) this.#available.set(name, { type });
  }

  get input(): PropertyTypes {
    return this.#input;
  }

  left(): PropertyTypes {
    return Object.fromEntries([...this.#available].map(([name, origin]) => [name, origin.type]));
  }

  enter(stage: FlowStage, index: number): readonly Contract[] {
    const incoming = this.left();
    const contracts = stage.operations.map((operation, at) =>
      this.#contract(operation, incoming, stage, index, at),
    );
    contracts.forEach((contract, at) => {
      for (const [name, type] of Object.entries(contract.reads))
        this.#read(name, type, stage, index, at);
    });
    this.#checkParallel(stage, contracts, index);
    this.#leave(stage, contracts);
    return contracts;
  }

  /** A contract that follows from options is computed by a person's code, which may throw. */
  #contract(
    operation: FlowOperation,
    incoming: PropertyTypes,
    stage: FlowStage,
    index: number,
    at: number,
  ): Contract {
    try {
      return operation.contract(incoming);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `stage "${stage.name}": "${operation.name}": its contract could not be found out: ${why}`;
      this.problems.push({ stage: index, operation: at, message });
      return NO_CONTRACT;
    }
  }

  #read(name: string, type: z.ZodType, stage: FlowStage, index: number, at: number): void {
    const origin = this.#available.get(name);
    const reader = `stage "${stage.name}": "${stage.operations[at]?.name ?? ''}" reads "${name}"`;
    const report = (message: string, severity: 'error' | 'warning' = 'error'): void => {
      this.problems.push({ stage: index, operation: at, message: `${reader}${message}`, severity });
    };
    if (origin === undefined) {
      this.#readFromInput(name, type, report);
    } else if (!mayFlow(origin.type, type)) {
      const giver =
        origin.setBy === undefined ? 'the input has it' : `stage "${origin.setBy}" sets it`;
      report(` as ${describeType(type)}, but ${giver} as ${describeType(origin.type)}.`);
    } else if (origin.setBy === undefined && this.#declared === undefined) {
      this.#narrowInput(name, type);
    }
  }

  #readFromInput(
    name: string,
    type: z.ZodType,
    report: (message: string, severity?: 'error' | 'warning') => void,
  ): void {
    const deleter = this.#deletedBy.get(name);
    if (deleter !== undefined) {
      if (!isOptional(type)) report(`, which stage "${deleter}" has deleted.`);
      return;
    }
    if (this.#declared !== undefined) {
      if (!isOptional(type))
        report(`, which nothing sets and the declared input lacks.${this.#whatIsSet()}`);
      return;
    }
    const near = nearMiss(
      name,
      [...this.#available]
        .filter(([, origin]) => origin.setBy !== undefined)
        .map(([known]) => known),
    );
    if (near !== undefined) {
      report(
        `, which no earlier stage sets, so it becomes part of the input. Did you mean "${near}"?`,
        'warning',
      );
    }
    this.#input[name] = type;
    this.#available.set(name, { type });
  }

  /** Two stages that read one input property: a value has to satisfy both. */
  #narrowInput(name: string, type: z.ZodType): void {
    const known = this.#input[name];
    if (known === undefined || (sameType(known, type) && isOptional(known) === isOptional(type)))
      return;
    const both = z.intersection(known, type);
    this.#input[name] = both;
    this.#available.set(name, { type: both });
  }

  #checkParallel(stage: FlowStage, contracts: readonly Contract[], index: number): void {
    if (stage.operations.length > 1) {
      stage.operations.forEach((operation, at) => {
        if (!operation.changesCount) return;
        const message = `stage "${stage.name}": "${operation.name}" changes the number of namespaces, so it must be alone in its stage. Give it a stage of its own.`;
        this.problems.push({ stage: index, operation: at, message });
      });
    }
    if (stage.merge === 'disjoint') this.#checkDisjoint(stage, contracts, index);
    else for (const name of sharedSets(contracts)) this.#checkShared(stage, contracts, index, name);
  }

  #checkDisjoint(stage: FlowStage, contracts: readonly Contract[], index: number): void {
    const changed = contracts.map(({ sets, deletes }) => [
      ...new Set([...Object.keys(sets), ...deletes]),
    ]);
    for (const name of repeated(changed.flat())) {
      const [first, ...others] = changed.flatMap((names, at) => (names.includes(name) ? [at] : []));
      for (const at of others) {
        const pair = `${nameOf(stage, first)} and ${nameOf(stage, at)} both change "${name}"`;
        const message = `stage "${stage.name}": ${pair}, which merge: disjoint forbids. Rename one of them or choose another merge strategy.`;
        this.problems.push({ stage: index, operation: at, message });
      }
    }
  }

  #checkShared(
    stage: FlowStage,
    contracts: readonly Contract[],
    index: number,
    name: string,
  ): void {
    const setters = contracts.flatMap((contract, at) => {
      const type = contract.sets[name];
      return type === undefined ? [] : [{ at, type }];
    });
    const [first, ...others] = setters;
    for (const other of others) {
      if (first === undefined || sameType(first.type, other.type)) continue;
      const pair = `${nameOf(stage, first.at)} and ${nameOf(stage, other.at)} both set "${name}"`;
      const types = `as ${describeType(first.type)} and as ${describeType(other.type)}`;
      const message = `stage "${stage.name}": ${pair}, ${types}. They must agree.`;
      this.problems.push({ stage: index, operation: other.at, message });
    }
  }

  #leave(stage: FlowStage, contracts: readonly Contract[]): void {
    const ordered = stage.merge === 'first' ? contracts.toReversed() : contracts;
    for (const contract of ordered) {
      for (const name of contract.deletes) {
        this.#available.delete(name);
        this.#deletedBy.set(name, stage.name);
      }
      for (const [name, type] of Object.entries(contract.sets)) this.#set(name, type, stage.name);
    }
    if (stage.merge !== 'collate') return;
    for (const name of sharedSets(contracts)) {
      const type = contracts.find((contract) => contract.sets[name] !== undefined)?.sets[name];
      if (type !== undefined) this.#set(name, z.array(type), stage.name);
    }
  }

  #set(name: string, type: z.ZodType, setBy: string): void {
    this.#available.set(name, { type, setBy });
    this.#deletedBy.delete(name);
  }

  #whatIsSet(): string {
    const byStage = new Map<string, string[]>();
    for (const [name, { setBy }] of this.#available) {
      if (setBy !== undefined) byStage.set(setBy, [...(byStage.get(setBy) ?? []), name]);
    }
    return [...byStage].map(([stage, names]) => ` "${stage}" sets: ${names.join(', ')}.`).join('');
  }
}

function nameOf(stage: FlowStage, at: number | undefined): string {
  return `"${stage.operations[at ?? -1]?.name ?? ''}"`;
}

const NO_CONTRACT: Contract = { reads: {}, sets: {}, deletes: [], readsAll: false };

/** The properties that more than one of these contracts declares to set. */
export function sharedSets(contracts: readonly Pick<Contract, 'sets'>[]): readonly string[] {
  return repeated(contracts.flatMap((contract) => Object.keys(contract.sets)));
}

function repeated(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
