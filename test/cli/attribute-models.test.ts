import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openCatalog } from '../../adapters/catalog/open-catalog.js';
import { EXACT } from '../../src/attribute-pipeline/eval-catalog.js';
import { cli, startCli, type CliProcess, type CliResult } from '../support/cli.js';
import { startOpenAIServer, type OpenAIServer } from '../support/openai-server.js';
import { shareBundles } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { config } from './fixtures.js';

jest.setTimeout(120_000);

const temporal = useTemporal();

const BOXES = `entity_type: box
attributes:
  - { name: width, data_type: integer }
  - name: area
    data_type: integer
    editable: 'no'
    pipeline:
      automatic: false
      modules:
        - { module: attributes_source, settings: { attributes: [width] } }
        - { module: ai_prompt, settings: { model: writer, prompt: What is its area?, template: integer } }
`;

describe('millrace attributes, of a pipeline that asks a model', () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-attribute-models-')));
  let model: OpenAIServer;
  let worker: CliProcess;
  let env: Readonly<Record<string, string>>;

  const run = (...args: readonly string[]): Promise<CliResult> =>
    cli(['attributes', ...args], { cwd: dir, env });

  beforeAll(async () => {
    env = { TEMPORAL_ADDRESS: temporal.address, DATABASE_URL: `sqlite:${join(dir, 'catalog.db')}` };
    model = await startOpenAIServer();
    model.reply({ says: { value: 7, justification: 'so', confidence: 1 } });
    await shareBundles(dir);
    await writeProject(dir, {
      'millrace.config.ts': config(uniqueTaskQueue()),
      'boxes.yml': BOXES,
      'config.yml': `models:
  writer:
    provider: openai-compatible
    model: small
    capabilities: [text, json]
    options: { base_url: ${model.url} }
    price: { input: 1, output: 1 }
`,
    });
    writeFileSync(join(dir, 'boxes.csv'), 'sku,width\na,2\nb,3\n');
    worker = startCli(['worker'], { cwd: dir, env });
    await worker.says(/worker ready/);
    await run('apply', 'boxes.yml');
    await run('import', 'box', 'boxes.csv', '--key', 'sku');
  });
  afterAll(async () => {
    await worker.stop('SIGKILL');
    await model.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('tells what a run is going to take, as soon as one has told', async () => {
    const first = await run('run', 'box.area', '--max', '1');
    expect([first.code, first.stdout]).toEqual([
      0,
      expect.stringMatching(/1 computed, .*tokens in/),
    ]);
    expect(first.stderr).not.toMatch(/about/);
    const second = await run('run', 'box.area', '--force');
    expect(second.stderr).toMatch(
      /^ {2}about 2 entities, [\d,]+ tokens in, [\d,]+ out, cost [\d.]+\n/,
    );
    const both = await run('run', '--all', '--force');
    expect(both.stderr).toMatch(/^ {2}box\.area {2}about 2 entities, /);
    const json = await run('run', 'box.area', '--force', '--json');
    expect(json.stderr).not.toMatch(/about/);
  });

  it('runs evals to their end, and exits with what they have come to', async () => {
    const catalog = await openCatalog({ url: env['DATABASE_URL'] ?? '' });
    const [entityId = ''] = await catalog.entities.entityIds(['box.a']);
    await catalog.attributeEvals.addEval(
      { entityType: 'box', attribute: 'area' },
      { entityId, desiredOutput: 7, comparison: EXACT, notes: null },
      { principal: 'ann', now: new Date() },
    );
    await catalog.close();
    const before = model.requests.length;
    const { code, stdout, stderr } = await run('evals', 'box.area', '--run');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/passes +a +7 +7/);
    expect(model.requests).toHaveLength(before + 1);
  });

  it('leaves evals that somebody has seen enough of to go on', async () => {
    model.reply({ says: { value: 7, justification: 'so', confidence: 1 }, delayMs: 4_000 });
    const before = model.requests.length;
    const evals = startCli(['attributes', 'evals', 'box.area', '--run'], { cwd: dir, env });
    while (model.requests.length === before) await new Promise((done) => setTimeout(done, 50));
    const { code, stderr } = await evals.stop('SIGINT');
    expect([code, stderr]).toEqual([
      130,
      expect.stringMatching(
        /^The evals go on\..*Cancel them: millrace cancel millrace\/evals\/box\.area\/\w+\n/,
      ),
    ]);
  });

  it('leaves several runs that somebody has seen enough of to go on', async () => {
    const several = startCli(['attributes', 'run', '--all', '--force'], { cwd: dir, env });
    const before = model.requests.length;
    while (model.requests.length === before) await new Promise((done) => setTimeout(done, 50));
    const { code, stderr } = await several.stop('SIGINT');
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /The runs go on: 0 of 1 ended\.\n {2}Cancel box\.area: millrace cancel attribute_pipeline\/box\.area\/\w+\n {2}Cancel all: millrace cancel millrace\/refresh\/\S+\/\w+\n/,
    );
    const [, id = ''] = /Cancel all: millrace cancel (\S+)/.exec(stderr) ?? [];
    const cancelled = await cli(['cancel', id], { cwd: dir, env });
    expect(cancelled).toMatchObject({ code: 0, stdout: `${id} was asked to end.\n` });
    const over = await until(async () => {
      const again = await cli(['cancel', id], { cwd: dir, env });
      return again.code === 0 ? undefined : again.stderr;
    });
    expect(over).toBe(`${id} is over already: cancelled.\n`);
    const unknown = await cli(['cancel', `${id}0`], { cwd: dir, env });
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no run') });
  });
});
