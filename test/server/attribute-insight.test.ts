import { describe, expect, it } from '@jest/globals';
import { AttributeApi } from '../support/attribute-api.js';
import { useAttributeStacks } from '../support/attribute-stack.js';
import { post, useServers } from '../support/http-api.js';
import { until } from '../support/until.js';

const start = useAttributeStacks();
const serve = useServers();

/** People with a name, and a greeting that a model makes of it: "Hello <name>", at 1 for each call. */
async function greeted() {
  const calls: string[] = [];
  const stack = await start(
    {
      models: {
        fast: {
          capabilities: ['text', 'json'],
          price: { input: 1_000, output: 0 },
          generate: ({ prompt }) => {
            calls.push(prompt);
            const name = /Name: (.*)/.exec(prompt)?.[1] ?? '';
            return Promise.resolve({
              output: { value: `Hello ${name}`, justification: 'Polite.', confidence: 0.5 },
              inputTokens: 1_000,
              outputTokens: 3,
            });
          },
        },
      },
    },
    {
      name: { label: 'Name' },
      greeting: { editable: 'overridable', needsApproval: 'only_low_confidence' },
    },
  );
  const { url } = await serve(stack.env.engine);
  const api = new AttributeApi(url);
  const ids = await stack.save({ ada: { name: 'Ada' }, alan: { name: 'Alan' } });
  const pipeline = `${stack.type}.greeting`;
  const modules = [
    { module: 'attributes_source', settings: { attributes: ['name'] } },
    { module: 'ai_prompt', settings: { model: 'fast', prompt: 'Greet them.' } },
  ];
  await api.post('/attribute_pipelines', { attribute: pipeline, modules });
  const path = `/attribute_pipelines/${pipeline}`;
  const run = async () => {
    const started = await api.post(`${path}/run`, { force: false, queue: true });
    return until(async () => {
      const shown = await api.get(`/attribute_runs/${String(started['id'])}`);
      return shown['completed_at'] === null ? undefined : shown;
    });
  };
  return { stack, api, ids, calls, path, pipeline, modules, run };
}

describe('a value', () => {
  it('explains itself: run, version, inputs, model, cost, and why it is stale', async () => {
    const { stack, api, ids, path, run } = await greeted();
    const over = await run();
    expect(over).toMatchObject({ cost: 2, tokens_in: 2_000, entities_processed: 2 });
    const explain = `/entities/${ids[0]!}/values/greeting/explain`;
    const fresh = await api.get(explain);
    expect(fresh).toMatchObject({
      value: { value: 'Hello Ada', confidence: 0.5, awaits_approval: true },
      pipeline: { pipeline_version: 1 },
      run: { id: over['id'] },
      inputs: [{ attribute: 'name', used_version: 1, version: 1, value: 'Ada' }],
      usage: [{ model: 'fast', calls: 1, tokens_in: 1_000, tokens_out: 3, cost: 1 }],
      eval: null,
      stale: false,
      stale_reasons: [],
    });
    const { lock_version, modules } = await api.get(path);
    const [source] = modules as readonly unknown[];
    await api.ok('PATCH', path, {
      lock_version,
      modules: [source, { module: 'calculation', settings: { code: 'return 1' } }],
    });
    // Beside the API, so that nothing runs.
    const { entities } = stack.attributes;
    expect(await api.get(explain)).toMatchObject({
      stale: true,
      stale_reasons: ['It was computed by version 1 of the pipeline, which is at version 2.'],
    });
    expect(await api.get(`/entities/${ids[0]!}/values/name/explain`)).toMatchObject({
      pipeline: null,
      stale: false,
    });
    expect(await entities.countEntities(stack.type)).toBe(2);
  });

  it('is tried with modules that are not saved, and nothing is written', async () => {
    const { stack, api, ids, pipeline, modules, calls } = await greeted();
    const wish = { attribute: pipeline, entity_id: ids[1]!, modules };
    expect(await api.post('/attribute_pipelines/try', wish)).toMatchObject({
      status: 'ok',
      inputs: { name: 'Alan' },
      value: 'Hello Alan',
      usage: [{ model: 'fast', cost: 1 }],
    });
    expect(calls).toHaveLength(1);
    expect(await stack.values('greeting')).toEqual({});
    const failing = {
      ...wish,
      modules: [modules[0], { module: 'calculation', settings: { code: 'nothing.at.all' } }],
    };
    expect(await api.post('/attribute_pipelines/try', failing)).toMatchObject({
      status: 'error',
      module: 'calculation',
      message: expect.stringContaining('nothing'),
    });
    const wrong = { ...wish, modules: [modules[1]] };
    expect((await api.call('POST', '/attribute_pipelines/try', wrong)).status).toBe(422);
  });
});

describe('the budget of a day', () => {
  it('holds for what is tried, which counts, too', async () => {
    const { stack, api, ids, path, pipeline, modules, calls } = await greeted();
    const wish = { attribute: pipeline, entity_id: ids[0]!, modules };
    await api.post('/attribute_pipelines/try', wish);
    const { lock_version } = await api.get(path);
    await api.ok('PATCH', path, { lock_version, day_budget: 1 });
    const tried = await api.post('/attribute_pipelines/try', wish);
    expect(tried).toMatchObject({ status: 'error', module: 'ai_prompt', usage: [] });
    expect(tried['message']).toMatch(/budget of 1 is used up \(1\.0000\): raise day_budget/);
    expect(calls).toHaveLength(1);
    const costs = await api.get(`/attribute_pipelines/costs?by=run&entity_type=${stack.type}`);
    expect(costs).toMatchObject({ costs: [{ run: '', calls: 1, cost: 1 }] });
    // What asks no model is tried all the same.
    const free = [modules[0], { module: 'calculation', settings: { code: 'return "Hi"' } }];
    const without = await api.post('/attribute_pipelines/try', { ...wish, modules: free });
    expect(without).toMatchObject({ status: 'ok', value: 'Hi' });
  });

  it('holds for evals: those that it does not allow are left as they were', async () => {
    const { stack, api, ids, path, calls } = await greeted();
    const evals = async () => (await api.get(`${path}/evals`))['evals'];
    const runEvals = async (): Promise<unknown> => {
      const { workflow_id } = await api.post(`${path}/evals/run`);
      const { client } = stack.env.engine.temporal;
      return client.workflow.getHandle(String(workflow_id)).result();
    };
    for (const entity_id of ids)
      await api.post(`${path}/evals`, { entity_id, desired_output: 'Hello Ada' });
    const budget = async (day_budget: number | null) => {
      const { lock_version } = await api.get(path);
      await api.ok('PATCH', path, { lock_version, day_budget });
    };
    // Nobody knows yet what one costs: the first is run alone.
    await budget(1);
    expect(await runEvals()).toEqual({ evals: 2, passed: 1, ran: 1, leftOut: 1 });
    expect(await evals()).toMatchObject([{ passed: true }, { passed: null }]);
    expect(calls).toHaveLength(1);
    expect(await runEvals()).toEqual({ evals: 2, passed: 1, ran: 0, leftOut: 2 });
    expect(await evals()).toMatchObject([{ passed: true }, { passed: null }]);
    await budget(null);
    expect(await runEvals()).toEqual({ evals: 2, passed: 1, ran: 2, leftOut: 0 });
    expect(await evals()).toMatchObject([{ passed: true }, { passed: false }]);
  });
});

describe('evals of a pipeline', () => {
  it('run after each batch run, by hand, and tell how many pass', async () => {
    const { stack, api, ids, calls, path, run } = await greeted();
    const [ada = '', alan = ''] = ids;
    const exact = await api.post(`${path}/evals`, {
      entity_id: ada,
      desired_output: 'hello  ADA',
      comparison: { kind: 'text' },
      notes: 'By the book.',
    });
    expect(exact).toMatchObject({
      passed: null,
      comparison: { kind: 'text', ignore_case: true, ignore_whitespace: true },
    });
    await api.ok('PUT', `/entities/${alan}/values/greeting/override`, { value: 'Hi Alan' });
    const override = { entity_id: alan, from_override: true };
    const second = await api.post(`${path}/evals`, override);
    expect(second).toMatchObject({ desired_output: 'Hi Alan', comparison: { kind: 'exact' } });
    expect((await api.call('POST', `${path}/evals`, override)).body).toMatchObject({
      type: 'name_taken',
    });
    expect((await api.call('POST', `${path}/evals`, { entity_id: alan })).status).toBe(422);
    await run();
    await until(async () => {
      const { rates } = await api.get(`${path}/evals/rates`);
      return (rates as unknown[]).length > 0 ? true : undefined;
    });
    expect(await api.get(`${path}/evals`)).toMatchObject({
      evals: [
        { entity_id: ada, passed: true, actual_output: 'Hello Ada', confidence: 0.5 },
        { entity_id: alan, passed: false, actual_output: 'Hello Alan' },
      ],
    });
    expect(await api.get(`${path}/evals?passed=false`)).toMatchObject({
      evals: [{ entity_id: alan }],
    });
    // Two of the run, and two of the evals.
    expect(calls).toHaveLength(4);
    const changed = await api.ok('PATCH', `${path}/evals/${String(second['id'])}`, {
      lock_version: 1,
      desired_output: 'Hello Alan',
    });
    expect(changed).toMatchObject({ passed: true });
    // Nothing has changed of the entities: they need no call.
    const again = await api.post(`${path}/evals/run`, { all: false });
    const { client } = stack.env.engine.temporal;
    const reportOf = (body: Record<string, unknown>) =>
      client.workflow.getHandle(String(body['workflow_id'])).result();
    expect(await reportOf(again)).toEqual({
      ...{ evals: 2, passed: 2, ran: 0 },
      leftOut: 0,
    });
    const waited = await post(`${api.url}${path}/evals/run`, {}, { prefer: 'wait=30' });
    expect(waited).toMatchObject({
      status: 200,
      body: { evals: 2, passed: 2, ran: 2, left_out: 0 },
    });
    expect(calls).toHaveLength(6);
    const { rates } = await api.get(`${path}/evals/rates`);
    expect((rates as { pass_rate: number }[]).map(({ pass_rate }) => pass_rate)).toEqual([
      1, 1, 0.5,
    ]);
    const { attribute_pipelines } = await api.get(`/attribute_pipelines?entity_type=${stack.type}`);
    expect(attribute_pipelines).toMatchObject([
      { evals: 2, failing_evals: 0, average_confidence: 0.5 },
    ]);
    const costs = await api.get(`/attribute_pipelines/costs?by=pipeline&entity_type=${stack.type}`);
    expect(costs).toMatchObject({ costs: [{ calls: 6, cost: 6, tokens_in: 6_000 }] });
    expect((await api.call('GET', '/attribute_pipelines/costs?by=week')).status).toBe(400);
    await api.ok('DELETE', `${path}/evals/${String(second['id'])}`);
    expect(await api.get(`/entities/${ada}/values/greeting/explain`)).toMatchObject({
      eval: { passed: true },
    });
  });
});
