/** Millrace: a project with an attribute pipeline, and its worker, as `millrace worker` has it. */
import { writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { openCatalog } from '../../adapters/catalog/open-catalog.js';
import type { AttributeRunOptions } from '../../engine/attribute-pipeline/attribute-run-starter.js';
import type { Attributes } from '../../engine/attribute-pipeline/attributes.js';
import type { JsonObject } from '../../src/definition/json.js';
import { createWorker } from '../../worker/create-worker.js';
import { answerParent } from '../measured-process.js';
import { addProducts, AREA, author, changeSome, PRODUCT } from './products.js';
import { PROMPT, type AttributeResult, type AttributeTask } from './task.js';

const PLACE = { entityType: PRODUCT, attribute: AREA.attribute };

const PROCESSORS: Readonly<Record<AttributeTask['processor'], JsonObject>> = {
  calculation: { code: AREA.code },
  prompt: {
    model: 'stub',
    prompt: 'What is its area?',
    template: 'integer',
    concurrency: PROMPT.concurrency,
  },
};

function modelsFile(model: string): string {
  return `models:
  stub:
    provider: openai-compatible
    model: stub
    capabilities: [text, json]
    options: { base_url: ${model} }
    price: { input: 1, output: 1 }
`;
}

async function timedRun(
  attributes: Attributes,
  options: AttributeRunOptions,
): Promise<{ readonly ms: number; readonly computed: number }> {
  const startedAt = performance.now();
  const { run, handle } = await attributes.run(PLACE, options);
  await handle.result();
  const ms = performance.now() - startedAt;
  const { status, counts, errorMessage } = await attributes.runs.run(run.id);
  if (status !== 'completed') throw new Error(`the run is ${status}: ${errorMessage ?? ''}`);
  return { ms, computed: counts.processed };
}

function expectComputed(computed: number, expected: number): void {
  if (computed !== expected)
    throw new Error(`${String(computed)} values were computed, not ${String(expected)}`);
}

await answerParent(async (task: AttributeTask): Promise<AttributeResult> => {
  const { address, dir, entities: count, processor, model } = task;
  await writeFile(join(dir, 'config.yml'), modelsFile(model));
  const url = `sqlite:${join(dir, 'catalog.db')}`;
  // What is saved here has no pipelines run by itself: when they run is what is measured.
  const catalog = await openCatalog({ url });
  await addProducts(catalog, count);
  const worker = await createWorker({
    dir,
    env: { TEMPORAL_ADDRESS: address },
    // Written as in production, one JSON line at a time; where the lines go is not what is measured.
    log: pino(pino.destination(devNull)),
    // The name of the folder is its own: so are the queue and the schedules.
    config: { asyncQueue: `bench-${dir}`, temporal: { address }, catalog: { url } },
  });
  const running = worker.run();
  const attributes = await worker.engine.attributes();
  await attributes.addPipeline(
    PLACE,
    {
      modules: [
        { module: 'attributes_source', settings: { attributes: [...AREA.inputs] } },
        {
          module: processor === 'prompt' ? 'ai_prompt' : 'calculation',
          settings: PROCESSORS[processor],
        },
      ],
    },
    author(),
  );
  // A worker's first run loads what the others find there: with it, few entities would show nothing else.
  await timedRun(attributes, { force: true, maxEntities: 1 });
  const cold = await timedRun(attributes, { force: true });
  expectComputed(cold.computed, count);
  const unchanged = await timedRun(attributes, { force: false });
  expectComputed(unchanged.computed, 0);
  const changes = await changeSome(catalog, count);
  const changed = await timedRun(attributes, { force: false });
  expectComputed(changed.computed, changes);
  await worker.stop();
  await running;
  await catalog.close();
  return {
    entities: cold.computed,
    coldMs: cold.ms,
    unchangedMs: unchanged.ms,
    changedMs: changed.ms,
  };
});
