import type { Contract } from '../contract/contract.js';
import { isPlural, nearMiss } from '../definition/suggestion.js';
import type { FlowProblem, FlowStage, TypeFlow } from './type-flow.js';

/** Names shorter than this are near each other by chance: `x` and `y`. */
const SHORTEST_NAME = 4;

interface Use {
  readonly stage: number;
  readonly operation: number;
  readonly stageName: string;
  readonly name: string;
  readonly generic: boolean;
  readonly contract: Contract;
}

/**
 * Warns of properties that became part of a pipeline's input because some stage reads them, and whose names are so near to
 * another one that they are probably misspelt: near to what an earlier stage sets; or, where the name is written in the
 * options of a generic operation, near to what any other operation reads or sets. Only for pipelines that declare no
 * input, since others have said what they mean.
 */
export function likelySlips(
  stages: readonly FlowStage[],
  { input, contracts }: Pick<TypeFlow, 'input' | 'contracts'>,
): readonly FlowProblem[] {
  const uses = usesOf(stages, contracts);
  return Object.keys(input).flatMap((name) => {
    const reader = uses.find(({ contract }) => Object.hasOwn(contract.reads, name));
    if (reader === undefined) return [];
    const near = nearSet(name, reader, uses) ?? nearAnything(name, reader, uses);
    if (near === undefined) return [];
    const { stage, operation, stageName } = reader;
    const what = `stage "${stageName}": "${reader.name}" reads "${name}"`;
    const message = `${what}, which no earlier stage sets, so it becomes part of the input. Did you mean "${near}"?`;
    return [{ stage, operation, message, severity: 'warning' as const }];
  });
}

function usesOf(stages: readonly FlowStage[], contracts: TypeFlow['contracts']): readonly Use[] {
  return stages.flatMap(({ name: stageName, operations }, stage) =>
    operations.flatMap(({ name, generic = false }, operation) => {
      const contract = contracts[stage]?.[operation];
      return contract === undefined
        ? []
        : [{ stage, operation, stageName, name, generic, contract }];
    }),
  );
}

function nearSet(name: string, reader: Use, uses: readonly Use[]): string | undefined {
  const set = new Set<string>();
  for (const { stage, contract } of uses) {
    if (stage >= reader.stage) break;
    contract.deletes.forEach((deleted) => set.delete(deleted));
    Object.keys(contract.sets).forEach((property) => set.add(property));
  }
  return nearMiss(name, [...set]);
}

/** Contracts of other operations are checked by their own tests and types: what only they say is taken at its word. */
function nearAnything(name: string, reader: Use, uses: readonly Use[]): string | undefined {
  const others = uses.filter((use) => use !== reader);
  const known = ({ reads, sets }: Contract): readonly string[] => [
    ...Object.keys(reads),
    ...Object.keys(sets),
  ];
  const names = [...new Set(others.flatMap(({ contract }) => known(contract)))];
  if (!reader.generic || name.length < SHORTEST_NAME || names.includes(name)) return undefined;
  const own = known(reader.contract);
  return nearMiss(
    name,
    names.filter(
      (other) => !own.includes(other) && !isPlural(name, other) && !isNumbered(name, other),
    ),
  );
}

/** Whether two names differ by their numbers alone: `price1` and `price2`. */
function isNumbered(a: string, b: string): boolean {
  return a.replace(/\d+/g, '') === b.replace(/\d+/g, '');
}
