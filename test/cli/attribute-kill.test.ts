import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { openCatalog } from '../../adapters/catalog/open-catalog.js';
import { ATTRIBUTE_DEFAULTS } from '../../src/attribute-pipeline/attribute.js';
import { cli, useCli, type CliProcess } from '../support/cli.js';
import { startOpenAIServer, type OpenAIServer } from '../support/openai-server.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { UNSET_PIPELINE } from '../../src/attribute-pipeline/pipeline.js';
import { config } from './fixtures.js';

jest.setTimeout(120_000);

const temporal = useTemporal();
const dir = useProjectDirectory();
const start = useCli();

const ENTITIES = 2_000;
const BATCH = 50;

/** Batches that are in the making when a worker is killed: what may be asked for again. */
const IN_HAND = 2 * BATCH;

const PROMPT = {
  model: 'writer',
  prompt: 'What is its area?',
  template: 'integer',
  concurrency: 10,
  attempts: 1,
};

async function startWorker(): Promise<CliProcess> {
  const worker = start(['worker'], {
    cwd: dir.path,
    env: { TEMPORAL_ADDRESS: temporal.address, DATABASE_URL: catalogUrl() },
  });
  await worker.says(/worker ready/);
  return worker;
}

function catalogUrl(): string {
  return `sqlite:${join(dir.path, 'catalog.db')}`;
}

/** What another tool sees in the catalog. */
function inCatalog(sql: string): number {
  const db = new Sqlite(join(dir.path, 'catalog.db'), { readonly: true, fileMustExist: true });
  try {
    return Number(db.prepare(sql).pluck().get());
  } finally {
    db.close();
  }
}

const written = (): number => inCatalog('select entities_processed from pipeline_runs');

/** Each value is whole: with its hash, its history and what it has cost; and the run counts those that there are. */
function expectWhole(): void {
  const values = inCatalog(
    `select count(*) from eav_versioned v join eav_history h using (entity_id, attribute_id, version)
     where v.run_id is not null and v.input_hash is not null and h.run_id = v.run_id
       and json_extract(v.meta, '$.usage[0].calls') = 1 and v.value_current = '7'`,
  );
  expect(values).toBe(inCatalog('select count(*) from eav_versioned where run_id is not null'));
  expect(values).toBe(written());
  expect(inCatalog('select coalesce(sum(calls), 0) from pipeline_usage')).toBe(written());
}

/** A catalog of products whose area a model is asked for. */
async function fillCatalog(): Promise<void> {
  const catalog = await openCatalog({ url: catalogUrl() });
  const by = { principal: 'ann', now: new Date() };
  const { entities } = catalog;
  await entities.addEntityType({ name: 'product', label: null, description: null }, by);
  for (const [name, editable] of [
    ['width', 'yes'],
    ['area', 'no'],
  ] as const)
    await entities.addAttribute(
      'product',
      { ...ATTRIBUTE_DEFAULTS, name, dataType: 'integer', editable },
      by,
    );
  for (let from = 0; from < ENTITIES; from += 1_000)
    await entities.saveEntities(
      'product',
      Array.from({ length: 1_000 }, (_, at) => ({
        key: String(from + at),
        values: { width: from + at },
      })),
      by,
    );
  await catalog.attributePipelines.addPipeline(
    { entityType: 'product', attribute: 'area' },
    {
      ...UNSET_PIPELINE,
      readsElsewhere: false,
      batchSize: BATCH,
      inputs: ['width'],
      modules: [
        {
          module: 'attributes_source',
          settings: { attributes: ['width'], view: 'with_override' },
        },
        { module: 'ai_prompt', settings: PROMPT },
      ],
    },
    by,
  );
  await catalog.close();
}

describe('a worker of an attribute pipeline that is killed', () => {
  let model: OpenAIServer;
  beforeEach(async () => {
    model = await startOpenAIServer();
    model.reply({ says: { value: 7, justification: 'so', confidence: 1 }, delayMs: 15 });
  });
  afterEach(() => model.close());

  it('leaves no value half-written, and has no call paid twice beyond the batches in hand', async () => {
    await writeProject(dir.path, {
      'millrace.config.ts': config(uniqueTaskQueue()),
      'config.yml': `models:
  writer:
    provider: openai-compatible
    model: small
    capabilities: [text, json]
    options: { base_url: ${model.url} }
    price: { input: 1, output: 1 }
`,
    });
    await fillCatalog();
    let worker = await startWorker();
    const env = { TEMPORAL_ADDRESS: temporal.address, DATABASE_URL: catalogUrl() };
    const started = await cli(['attributes', 'run', 'product.area', '--detach'], {
      cwd: dir.path,
      env,
    });
    expect([started.code, started.stderr]).toEqual([0, '']);

    for (const share of [0.2, 0.5]) {
      await until(async () => written() > ENTITIES * share || undefined, 60_000);
      const before = written();
      await worker.stop('SIGKILL');
      expectWhole();
      expect(written()).toBeGreaterThanOrEqual(before);
      expect(written()).toBeLessThan(ENTITIES);
      worker = await startWorker();
    }
    const ended = "select count(*) from pipeline_runs where status = 'completed'";
    await until(async () => inCatalog(ended) === 1 || undefined, 60_000);
    expectWhole();
    expect(written()).toBe(ENTITIES);
    const asked = model.requests.map(({ body }) => /width: (\d+)/.exec(JSON.stringify(body))?.[1]);
    expect(new Set(asked).size).toBe(ENTITIES);
    expect(asked.length - ENTITIES).toBeLessThanOrEqual(2 * IN_HAND);
  });
});
