import type { JsonObject } from '../definition/json.js';
import { FAILURE_TYPES, type Failure } from './failure.js';
import { mergeChanges } from './merge.js';
import { applyChanges, pick, type Changes, type Namespace } from './namespace.js';
import type { Effect } from './operation-task.js';
import type { OperationPlan, PipelinePlan, StagePlan } from './plan.js';

/** The properties of the namespaces that an operation gets. */
export function operationInputs(
  operation: OperationPlan,
  namespaces: readonly Namespace[],
): readonly Namespace[] {
  const { reads } = operation;
  return reads === '*' ? namespaces : namespaces.map((namespace) => pick(namespace, reads));
}

/** The namespaces after a stage, given the effects of its operations in listed order. */
export function completeStage(
  stage: StagePlan,
  namespaces: readonly Namespace[],
  effects: readonly Effect[],
): readonly Namespace[] {
  const derived = effects.find((effect) => effect.kind === 'derived');
  if (derived !== undefined) {
    // Such an operation is alone in its stage; that was checked when the plan was compiled.
    const deleted = stage.operations[0]?.deletes ?? [];
    return derived.derived.map(({ from, set }) =>
      applyChanges(namespaces[from] ?? {}, { set, deleted }),
    );
  }
  const shared = sharedProperties(stage);
  return namespaces.map((namespace, index) =>
    mergeChanges(stage.merge, namespace, changesAt(stage, effects, index), shared),
  );
}

function changesAt(
  stage: StagePlan,
  effects: readonly Effect[],
  index: number,
): readonly Changes[] {
  return effects.flatMap((effect, at) => {
    if (effect.kind !== 'sets') return [];
    return [{ set: effect.sets[index] ?? {}, deleted: stage.operations[at]?.deletes ?? [] }];
  });
}

function sharedProperties(stage: StagePlan): readonly string[] {
  if (stage.merge !== 'collate') return [];
  const names = stage.operations.flatMap((operation) => operation.sets);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

/** A run's result: what is left in its one namespace, or in all of them. A failure when there is not one. */
export function pipelineResult(
  plan: PipelinePlan,
  namespaces: readonly Namespace[],
): { readonly result: JsonObject | readonly JsonObject[] } | { readonly failure: Failure } {
  const { output } = plan;
  const results =
    output === undefined ? namespaces : namespaces.map((namespace) => pick(namespace, output));
  const [first] = results;
  if (plan.result === 'all') return { result: results };
  if (results.length === 1 && first !== undefined) return { result: first };
  return {
    failure: {
      type: FAILURE_TYPES.namespaceCount,
      message:
        `Pipeline "${plan.name}" ended with ${String(results.length)} namespaces, but its result is one. ` +
        `Set result: 'all' to get them all, or end it with an operation such as "collapse" that makes one of them.`,
      retryable: false,
    },
  };
}
