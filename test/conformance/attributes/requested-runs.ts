import { ulid } from 'ulid';
import type {
  EntityOutcome,
  RunCatalog,
  RunRequest,
} from '../../../src/attribute-pipeline/run-catalog.js';
import type { AttributeRun, RunTask } from '../../../src/attribute-pipeline/run.js';
import type { Json } from '../../../src/definition/json.js';
import { ANN } from './open-attributes.js';

/** A pipeline of these tests. */
export const SCORE = { entityType: 'product', attribute: 'score' };
/** One that reads what {@link SCORE} computes. */
export const GRADE = { entityType: 'product', attribute: 'grade' };

/** A run of scores, as somebody may want it. */
export function request(task: Partial<RunTask> = {}, change: Partial<RunRequest> = {}): RunRequest {
  const id = ulid();
  return {
    id,
    workflowId: `attribute_pipeline/product.score/${id}`,
    place: SCORE,
    trigger: 'manual',
    task: { force: false, ...task },
    now: ANN.now,
    ...change,
  };
}

/** A run that has its pipeline. */
export async function claimed(runs: RunCatalog, of: RunRequest): Promise<AttributeRun> {
  const { id } = await runs.request(of);
  const claim = await runs.claim(id, of.now);
  if (claim.kind !== 'claimed') throw new Error(`the claim is answered with ${claim.kind}`);
  return claim.run;
}

/** What a run may come to with an entity. */
export function computed(value: Json, inputHash: string): EntityOutcome {
  return {
    kind: 'computed',
    result: {
      value,
      confidence: 0.9,
      justification: 'so',
      meta: { n: 1 },
      inputHash,
      inputs: { size: 1 },
    },
  };
}
