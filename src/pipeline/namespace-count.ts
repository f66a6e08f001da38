import type { CountEffect } from './operation.js';
import type { FlowProblem } from './type-flow.js';

/** What counting needs to know of a stage. */
export interface CountStage {
  readonly name: string;
  readonly operations: readonly {
    readonly name: string;
    readonly changesCount: boolean;
    /** Undefined where it is not known. */
    readonly leaves?: CountEffect;
  }[];
}

/**
 * Warns of a pipeline whose result is one namespace, but whose stages make several of it and never one again. An operation
 * of which only is known that it changes the count makes several of one; of several it may make anything.
 */
export function countProblems(stages: readonly CountStage[]): readonly FlowProblem[] {
  let splitter: FlowProblem | undefined;
  for (const [stage, { name, operations }] of stages.entries()) {
    for (const [operation, { name: type, changesCount, leaves }] of operations.entries()) {
      // Beside others it is refused.
      if (!changesCount || operations.length > 1) continue;
      const splits = leaves === 'more' || (leaves === undefined && !changed(stages, stage));
      const message = `stage "${name}": "${type}" may leave several namespaces, of which no later stage makes one, but the result is one. Add a stage with "collapse", or set result: all.`;
      splitter = splits ? { stage, operation, message, severity: 'warning' } : undefined;
    }
  }
  return splitter === undefined ? [] : [splitter];
}

/** Whether the number of namespaces may have become another one before a stage. */
function changed(stages: readonly CountStage[], before: number): boolean {
  return stages
    .slice(0, before)
    .some(({ operations }) =>
      operations.some(({ changesCount, leaves }) => changesCount && leaves !== 'one'),
    );
}
