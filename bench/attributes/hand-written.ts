import { createHash } from 'node:crypto';
import { openCatalog, type Catalog } from '../../adapters/catalog/open-catalog.js';
import { inputHasher } from '../../src/attribute-pipeline/input-hash.js';
import type { Candidate, RunBatch } from '../../src/attribute-pipeline/run-catalog.js';
import type { Sandbox } from '../../src/attribute-pipeline/sandbox.js';
import { join } from 'node:path';
import { UNSET_PIPELINE } from '../../src/attribute-pipeline/pipeline.js';
import { addProducts, AREA, author, PRODUCT } from './products.js';

const MODULES = [
  {
    module: 'attributes_source',
    settings: { attributes: [...AREA.inputs], view: 'with_override' },
  },
  { module: 'calculation', settings: { code: AREA.code } },
] as const;

const PLACE = { entityType: PRODUCT, attribute: AREA.attribute };

/** A catalog with products, and the id of a run that has been claimed. */
export async function claimedRun(
  dir: string,
  count: number,
): Promise<{ readonly catalog: Catalog; readonly run: string; readonly ids: readonly string[] }> {
  const catalog = await openCatalog({ url: `sqlite:${join(dir, 'catalog.db')}` });
  const ids = await addProducts(catalog, count);
  await catalog.attributePipelines.addPipeline(
    PLACE,
    {
      ...UNSET_PIPELINE,
      readsElsewhere: false,
      modules: [...MODULES],
      inputs: [...AREA.inputs],
    },
    author(),
  );
  const run = '01M8D00000000000000000BARE';
  const now = new Date();
  await catalog.attributeRuns.request({
    id: run,
    workflowId: run,
    place: PLACE,
    trigger: 'manual',
    task: { force: true },
    now,
  });
  await catalog.attributeRuns.claim(run, now);
  return { catalog, run, ids };
}

/** What a batch of entities comes to: one query for their inputs, one crossing into the sandbox. */
export function computation(
  catalog: Catalog,
  sandbox: Sandbox,
): (candidates: readonly Candidate[]) => Promise<RunBatch> {
  const hash = inputHasher({ version: 1, modules: MODULES }, (text) =>
    createHash('sha256').update(text).digest('hex'),
  );
  return async (candidates) => {
    const values = await catalog.attributeRuns.values(
      PRODUCT,
      candidates.map(({ entityId }) => entityId),
      [...AREA.inputs, AREA.attribute],
    );
    const items = candidates.map(({ entityId }) => {
      const known = values.get(entityId);
      const inputs = Object.fromEntries(
        AREA.inputs.map((name) => [name, known?.get(name)?.current ?? null]),
      );
      const versions = Object.fromEntries(
        AREA.inputs.map((name) => [name, known?.get(name)?.version ?? 0]),
      );
      return { entityId, inputs, versions, value: known?.get(AREA.attribute)?.current ?? null };
    });
    const outcomes = await sandbox.run(
      AREA.code,
      items.map(({ entityId, inputs, value }) => ({ entityId, inputs, value, meta: {} })),
    );
    return {
      outcomes: candidates.map((candidate, at) => {
        const [outcome, item] = [outcomes[at], items[at]];
        if (outcome?.kind !== 'ok' || item === undefined) throw new Error('it has failed');
        const { value, confidence, justification, meta } = outcome;
        return {
          ...candidate,
          outcome: {
            kind: 'computed',
            result: {
              value,
              confidence,
              justification,
              meta,
              inputHash: hash(item.inputs),
              inputs: item.versions,
            },
          },
        };
      }),
      usage: [],
      warnings: [],
    };
  };
}
