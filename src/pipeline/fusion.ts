import { FUSION_LIMITS, type StagePlan, type Unit } from './plan.js';

/** Groups stages into what the workflow executes as one piece. Neighbouring stages of quick operations are fused. */
export function fuse(stages: readonly StagePlan[]): readonly Unit[] {
  const units: Unit[] = [];
  let open: { first: number; operations: number } | undefined;
  stages.forEach((stage, index) => {
    const count = stage.operations.length;
    if (!isQuick(stage)) {
      open = undefined;
      units.push({ kind: 'stage', stage: index });
    } else if (open !== undefined && open.operations + count <= FUSION_LIMITS.operations) {
      open.operations += count;
      units[units.length - 1] = { kind: 'fused', first: open.first, last: index };
    } else {
      open = { first: index, operations: count };
      units.push({ kind: 'fused', first: index, last: index });
    }
  });
  return units;
}

/** A stage that costs no activity, or whose operations are all quick. */
function isQuick(stage: StagePlan): boolean {
  return stage.operations.every((operation) => operation.quick === true);
}
