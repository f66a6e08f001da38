import { z } from 'zod';
import { describeType, mayFlow, sameType } from '../contract/compatibility.js';
import {
  EMPTY_CONTRACT,
  FORBIDDEN_NAME,
  isOptional,
  type Contract,
  type PropertyTypes,
} from '../contract/contract.js';
import { mayBeLeftOut } from '../contract/json-schema.js';
import { ownMember } from '../definition/json.js';
import type { MergeStrategy } from './merge.js';
import {
  lackMessage,
  bothTypes,
  givenType,
  listOf,
  sameSchema,
  typeAfter,
  type Origin,
} from './origin.js';

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
  /** Some of its failures let the namespaces pass through, without what it would have set. */
  readonly ignoresErrors: boolean;
  /** Its contract follows from options, and so do the names of what it reads. */
  readonly generic?: boolean;
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
  /** Of the output: what may not be as its type says, since failures of its setter may be ignored. */
  readonly uncertain: ReadonlySet<string>;
  readonly contracts: readonly (readonly Contract[])[];
  readonly problems: readonly FlowProblem[];
}

/**
 * Follows the properties through the stages. A property that is read before any stage sets it belongs to the input;
 * one that was deleted, that its setter may leave out, or that reaches a reader as another type, is a problem.
 *
 * @param declared - the input that the definition declares; reads of anything else are then problems.
 */
export function flowTypes(
  stages: readonly FlowStage[],
  declared: PropertyTypes | undefined,
): TypeFlow {
  const flow = new Flow(declared);
  const contracts = stages.map((stage, index) => flow.enter(stage, index));
  const { input, problems } = flow;
  return { input, output: flow.left(), uncertain: flow.uncertain(), contracts, problems };
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
    for (const [name, type] of Object.entries(this.#input)) this.#given(name, type);
  }

  get input(): PropertyTypes {
    return this.#input;
  }

  left(): PropertyTypes {
    return Object.fromEntries([...this.#available].map(([name, origin]) => [name, origin.type]));
  }

  uncertain(): ReadonlySet<string> {
    return new Set(
      [...this.#available].flatMap(([name, { uncertain }]) => (uncertain ? [name] : [])),
    );
  }

  /**
   * What contracts are told of the properties that reach a stage. That nobody has needed an undeclared property of the
   * input so far makes it optional for clients, but says nothing of what is to come.
   */
  #incoming(): PropertyTypes {
    const assumed = (origin: Origin): boolean =>
      origin.setter === undefined && this.#declared === undefined && isOptional(origin.type);
    return Object.fromEntries(
      [...this.#available].map(([name, origin]) => [
        name,
        assumed(origin) ? z.nonoptional(origin.type) : origin.type,
      ]),
    );
  }

  enter(stage: FlowStage, index: number): readonly Contract[] {
    const incoming = this.#incoming();
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
    const report = (what: string): Contract => {
      const message = `stage "${stage.name}": "${operation.name}": ${what}`;
      this.problems.push({ stage: index, operation: at, message });
      return EMPTY_CONTRACT;
    };
    try {
      const contract = operation.contract(incoming);
      const { reads, sets, deletes } = contract;
      return [...Object.keys(reads), ...Object.keys(sets), ...deletes].includes(FORBIDDEN_NAME)
        ? report(`no property can be called ${FORBIDDEN_NAME}. Choose another name.`)
        : contract;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return report(`its contract could not be found out: ${why}`);
    }
  }

  #read(name: string, type: z.ZodType, stage: FlowStage, index: number, at: number): void {
    const origin = this.#available.get(name);
    const operation = stage.operations[at]?.name ?? '';
    const reader = `stage "${stage.name}": "${operation}" reads "${name}"`;
    const report = (message: string): void => {
      this.problems.push({ stage: index, operation: at, message: `${reader}${message}` });
    };
    if (origin === undefined) {
      this.#readFromInput(name, type, report);
    } else if (!mayFlow(origin.type, type)) {
      const { setter } = origin;
      const giver = setter === undefined ? 'the input has it' : `stage "${setter.stage}" sets it`;
      report(` as ${describeType(type)}, but ${giver} as ${describeType(origin.type)}.`);
    } else if (origin.setter === undefined && this.#declared === undefined) {
      this.#narrowInput(name, type);
    } else if (mayBeLeftOut(origin.type) && !isOptional(type)) {
      report(lackMessage(origin, operation));
    } else if (origin.itemOf !== undefined && stage.operations[at]?.ignoresErrors === false) {
      this.#narrowItems(origin.itemOf, type);
    }
  }

  /** What is read of an item of a list that came with the input, every item of it has to be. */
  #narrowItems(list: string, type: z.ZodType): void {
    const known = ownMember(this.#input, list);
    if (known !== undefined && !isOptional(type)) this.#input[list] = listOf(known, type);
  }

  #readFromInput(name: string, type: z.ZodType, report: (message: string) => void): void {
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
    this.#input[name] = type;
    this.#given(name, type);
  }

  #given(name: string, type: z.ZodType): void {
    this.#available.set(name, { type: givenType(type), uncertain: false });
  }

  /** Two stages that read one input property: a value has to satisfy both. */
  #narrowInput(name: string, type: z.ZodType): void {
    const known = ownMember(this.#input, name);
    if (known === undefined || known === type) return;
    const needed = isOptional(known) && !isOptional(type);
    if (sameSchema(known, type, 'input') && !needed) return;
    const both = sameSchema(known, type, 'input') ? type : bothTypes(known, type);
    this.#input[name] = both;
    this.#given(name, both);
  }

  #checkParallel(stage: FlowStage, contracts: readonly Contract[], index: number): void {
    if (stage.operations.length > 1) {
      stage.operations.forEach((operation, at) => {
        if (!operation.changesCount) return;
        const message = `stage "${stage.name}": "${operation.name}" changes the number of namespaces, so it must be alone in its stage. Give it a stage of its own.`;
        this.problems.push({ stage: index, operation: at, message });
      });
    }
    this.#checkCarrying(stage, contracts, index);
    if (stage.merge === 'disjoint') this.#checkDisjoint(stage, contracts, index);
    else for (const name of sharedSets(contracts)) this.#checkShared(stage, contracts, index, name);
  }

  /** What such an operation changes is not known beforehand, so that nothing can be said of it beside others. */
  #checkCarrying(stage: FlowStage, contracts: readonly Contract[], index: number): void {
    if (contracts.length === 1) return;
    contracts.forEach(({ carriesAll }, at) => {
      if (!carriesAll || stage.operations[at]?.changesCount === true) return;
      const message = `stage "${stage.name}": ${nameOf(stage, at)} may set any property, so it must be alone in its stage. Give it a stage of its own.`;
      this.problems.push({ stage: index, operation: at, message });
    });
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
      const type = ownMember(contract.sets, name);
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
    const lists = this.#openLists(contracts);
    if (stage.operations.some(({ changesCount }) => changesCount)) this.#forgetItems();
    const listed = contracts.map((contract, at) => ({ contract, at }));
    const collated = stage.merge === 'collate' ? sharedSets(contracts) : [];
    for (const { contract, at } of stage.merge === 'first' ? listed.toReversed() : listed) {
      for (const name of contract.deletes) {
        this.#available.delete(name);
        this.#deletedBy.set(name, stage.name);
      }
      for (const [name, type] of Object.entries(contract.sets))
        if (!collated.includes(name)) this.#set(name, type, stage, [at]);
    }
    for (const [name, itemOf] of lists) {
      const origin = this.#available.get(name);
      if (origin !== undefined) this.#available.set(name, { ...origin, itemOf });
    }
    for (const name of collated) {
      const setters = listed.filter(({ contract }) => Object.hasOwn(contract.sets, name));
      const types = setters.flatMap(({ contract }) => ownMember(contract.sets, name) ?? []);
      const items = z.array(z.nonoptional(types[0] ?? z.unknown()));
      this.#set(
        name,
        types.every(mayBeLeftOut) ? items.optional() : items,
        stage,
        setters.map(({ at }) => at),
      );
    }
  }

  /** Lists of an undeclared input, by the properties that a stage gives their items to. */
  #openLists(contracts: readonly Contract[]): ReadonlyMap<string, string> {
    if (this.#declared !== undefined) return new Map();
    const items = contracts.flatMap((contract) => Object.entries(contract.items ?? {}));
    return new Map(items.filter(([, list]) => this.#available.get(list)?.setter === undefined));
  }

  /** Some namespaces may be dropped, so that not every item is read any longer. */
  #forgetItems(): void {
    for (const [name, { itemOf: _, ...origin }] of this.#available)
      this.#available.set(name, origin);
  }

  /** @param by - the operations of the stage that set it together */
  #set(name: string, type: z.ZodType, stage: FlowStage, by: readonly number[]): void {
    const before = this.#available.get(name);
    const assured =
      before?.uncertain === false &&
      !mayBeLeftOut(before.type) &&
      sameSchema(before.type, type, 'output');
    const operations = by.flatMap((at) => stage.operations[at] ?? []);
    this.#available.set(name, {
      type: typeAfter(before?.type, type),
      setter: { stage: stage.name, operation: operations[0]?.name ?? '' },
      uncertain:
        (operations.every(({ ignoresErrors }) => ignoresErrors) && !assured) ||
        (before?.uncertain === true && mayBeLeftOut(type)),
    });
    this.#deletedBy.delete(name);
  }

  #whatIsSet(): string {
    const byStage = new Map<string, string[]>();
    for (const [name, { setter }] of this.#available) {
      if (setter !== undefined)
        byStage.set(setter.stage, [...(byStage.get(setter.stage) ?? []), name]);
    }
    return [...byStage].map(([stage, names]) => ` "${stage}" sets: ${names.join(', ')}.`).join('');
  }
}

function nameOf(stage: FlowStage, at: number | undefined): string {
  return `"${stage.operations[at ?? -1]?.name ?? ''}"`;
}

/** The properties that more than one of these contracts declares to set. */
export function sharedSets(contracts: readonly Pick<Contract, 'sets'>[]): readonly string[] {
  return repeated(contracts.flatMap((contract) => Object.keys(contract.sets)));
}

function repeated(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
