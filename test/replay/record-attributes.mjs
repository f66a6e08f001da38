/** Records the histories of attribute pipelines, for record-histories.mjs: one run of each way through their workflows. */
import { Client, Connection } from '@temporalio/client';
import { ATTRIBUTE_DEFAULTS } from '../../dist/src/attribute-pipeline/attribute.js';
import { createTestEnvironment } from '../../dist/testing/test-environment.js';
import { ended, onContinuingServer, pause, recordChain } from './recording.mjs';

const by = () => ({ principal: 'recorder', now: new Date() });

const models = {
  slow: {
    capabilities: ['text', 'json'],
    price: { input: 1_000, output: 0 },
    generate: async () => {
      await pause(100);
      return {
        output: { value: 'good', justification: 'so', confidence: 1 },
        inputTokens: 1_000,
        outputTokens: 10,
      };
    },
  },
};

const source = (...attributes) => ({ module: 'attributes_source', settings: { attributes } });
const calculation = (code) => ({ module: 'calculation', settings: { code } });
const prompt = {
  module: 'ai_prompt',
  settings: { model: 'slow', prompt: 'Good?', concurrency: 1 },
};

/** An entity type of its own with products, and the pipeline of one attribute. */
async function pipeline(
  { attributes },
  name,
  { products = 3, modules, dataType = 'integer', ...settings },
) {
  const type = name.replaceAll('-', '_');
  const { entities } = attributes;
  await entities.addEntityType({ name: type, label: null, description: null }, by());
  await entities.addAttribute(
    type,
    { ...ATTRIBUTE_DEFAULTS, name: 'width', dataType: 'integer' },
    by(),
  );
  await entities.addAttribute(
    type,
    { ...ATTRIBUTE_DEFAULTS, name: 'result', dataType, editable: 'no' },
    by(),
  );
  const inputs = Array.from({ length: products }, (_, n) => ({
    key: `p${n}`,
    values: { width: n },
  }));
  const saved = await entities.saveEntities(type, inputs, by());
  const place = { entityType: type, attribute: 'result' };
  const added = await attributes.addPipeline(place, { modules, ...settings }, by());
  return { place, added, type, ids: saved.map(({ id }) => id) };
}

const area = [source('width'), calculation('return $json.width * 2')];
const failing = [
  source('width'),
  calculation('if ($json.width === 1) throw new Error("no"); return 1'),
];
const verdict = { modules: [source('width'), prompt], dataType: 'text' };

/** What is done for each history. @returns the id of the workflow that is recorded */
const ways = {
  'attributes-computed': async (parts, name) => {
    const { place } = await pipeline(parts, name, { modules: area });
    return (await parts.attributes.run(place)).run.workflowId;
  },
  'attributes-failed': async (parts, name) => {
    const { place } = await pipeline(parts, name, { modules: failing });
    return (await parts.attributes.run(place)).run.workflowId;
  },
  'attributes-long': async (parts, name) => {
    // An activity goes on for ten seconds: this takes two of them.
    const { place } = await pipeline(parts, name, { ...verdict, products: 130, batchSize: 10 });
    return (await parts.attributes.run(place)).run.workflowId;
  },
  'attributes-cancelled': async (parts, name) => {
    const { place } = await pipeline(parts, name, { ...verdict, products: 100 });
    const { run } = await parts.attributes.run(place);
    await pause(1_500);
    await parts.attributes.cancelRun(run.id);
    return run.workflowId;
  },
  'attributes-queued': async (parts, name) => {
    const { place } = await pipeline(parts, name, { ...verdict, products: 20 });
    await parts.attributes.run(place);
    await pause(500);
    return (await parts.attributes.run(place, { queue: true })).run.workflowId;
  },
  'attributes-budget': async (parts, name) => {
    const { place, added } = await pipeline(parts, name, { ...verdict, products: 6, runBudget: 2 });
    const { run } = await parts.attributes.run(place);
    await pause(3_000);
    await parts.attributes.changePipeline(place, { runBudget: 100 }, added.lockVersion, by());
    return run.workflowId;
  },
  'attributes-missing-code': async (parts, name) => {
    const { place } = await pipeline(parts, name, { modules: area });
    const { registry } = parts.env.worker.code;
    const run = await parts.attributes.run(place);
    parts.env.worker.code.replace({ ...registry, modules: new Map() }, new Map());
    await pause(1_500);
    parts.env.worker.code.replace(registry, new Map());
    return run.run.workflowId;
  },
  'attributes-refresh': async (parts, name) => {
    const { place, type } = await pipeline(parts, name, { modules: area });
    await (await parts.attributes.run(place)).handle.result();
    await parts.attributes.entities.saveEntities(type, [{ key: 'p1', values: { width: 9 } }], by());
    return `millrace/refresh/${parts.env.taskQueue}/${type}`;
  },
  'attributes-all': async (parts, name) => {
    const { place } = await pipeline(parts, name, { modules: area });
    return parts.attributes.refresh.all({
      kind: 'all',
      trigger: 'manual',
      task: { force: true },
      pipelines: [place],
    });
  },
  'attributes-evals': async (parts, name) => {
    const { place, ids } = await pipeline(parts, name, { modules: area });
    await parts.attributes.evals.addEval(
      place,
      { entityId: ids[1], desiredOutput: 2, comparison: { kind: 'exact' }, notes: null },
      by(),
    );
    return (await parts.attributes.runEvals(place)).workflowId;
  },
};

/** @param record - writes the history of a run: name, client, workflow id, run id */
export async function recordAttributes({ address, wanted, record }) {
  const names = [...Object.keys(ways), 'attributes-continued'].filter(
    (name) => wanted.length === 0 || wanted.includes(name),
  );
  const short = names.filter((name) => name !== 'attributes-continued');
  await withAttributes(address, short, async (parts) => {
    for (const name of short) {
      const workflowId = await ways[name](parts, name);
      await ended(parts.client, workflowId);
      await record(name, parts.client, workflowId);
    }
  });
  if (!names.includes('attributes-continued')) return;
  await onContinuingServer((at) =>
    withAttributes(at, ['attributes-continued'], async (parts) => {
      const workflowId = await ways['attributes-long'](parts, 'attributes-continued');
      await recordChain('attributes-continued', { client: parts.client, workflowId, record });
    }),
  );
}

async function withAttributes(address, names, work) {
  if (names.length === 0) return;
  const env = await createTestEnvironment({ models, env: { TEMPORAL_ADDRESS: address } });
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection });
    await work({ env, client, attributes: await env.engine.attributes() });
  } finally {
    await connection.close();
    await env.stop();
  }
}
