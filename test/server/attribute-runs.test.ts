import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineModule, moduleResult } from '../../src/attribute-pipeline/module.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { AttributeApi } from '../support/attribute-api.js';
import { areaIs, useBoxApi } from '../support/box-api.js';
import { gate } from '../support/gate.js';
import { post } from '../support/http-api.js';
import { until } from '../support/until.js';

const { start, boxes, serve } = useBoxApi();

describe('runs of attribute pipelines over HTTP', () => {
  it('are quoted, started, shown, listed, and streamed', async () => {
    const { type, api, ids } = await boxes();
    await areaIs(api, ids[1]!, 9);
    const path = `/attribute_pipelines/${type}.area`;
    expect(await api.get(`${path}/quote`)).toMatchObject({ force: true, entities: 2, cost: null });
    const run = await api.post(`${path}/run`, {
      filter: [{ attribute: 'width', operator: '=', value: 3 }],
      queue: true,
    });
    expect(run).toMatchObject({ triggered_by: 'manual', force: true, status: 'waiting' });
    const self = `/attribute_runs/${String(run['id'])}`;
    const over = await until(async () => {
      const shown = await api.get(self);
      return shown['completed_at'] === null ? undefined : shown;
    });
    expect(over).toMatchObject({ status: 'completed', entities_processed: 1 });
    const response = await fetch(`${api.url}${self}/events`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(text).toMatch(
      /event: attribute_run_begun[\s\S]*event: attribute_run_progress[\s\S]*event: complete/,
    );
    const lastId = [...text.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? '';
    const again = await fetch(`${api.url}${self}/events`, { headers: { 'Last-Event-ID': lastId } });
    expect(again.status).toBe(204);
    const { attribute_runs } = await api.get(`${path}/runs`);
    expect((attribute_runs as { id: string }[])[0]?.id).toBe(run['id']);
    expect(await api.get(`/attribute_runs?entity_type=${type}`)).toMatchObject({
      attribute_runs: expect.arrayContaining([expect.objectContaining({ id: run['id'] })]),
    });
    expect((await api.call('POST', `${self}/cancel`)).body).toMatchObject({
      type: 'execution_closed',
      status: 'completed',
    });
  });

  it('are waited for as long as the client prefers, whatever they come to', async () => {
    const { type, api, ids } = await boxes();
    await areaIs(api, ids[1]!, 9);
    const path = `${api.url}/attribute_pipelines/${type}.area`;
    const run = (wait: string) => post(`${path}/run`, { queue: true }, { prefer: `wait=${wait}` });
    const over = await run('30');
    expect([over.status, over.headers.get('preference-applied')]).toEqual([200, 'wait=30']);
    expect(over.body).toMatchObject({ status: 'completed', entities_processed: 2 });
    expect(over.headers.get('location')).toBe(`/attribute_runs/${String(over.body['id'])}`);
    expect((await run('0')).status).toBe(202);
    await api.ok('PATCH', `/attribute_pipelines/${type}.area`, {
      lock_version: 1,
      modules: [
        { module: 'attributes_source', settings: { attributes: ['width'] } },
        { module: 'calculation', settings: { code: 'throw new Error("no")' } },
      ],
    });
    const failed = await run('30');
    expect(failed.status).toBe(200);
    expect(failed.body).toMatchObject({ status: 'failed', entities_failed: 2 });
    const { failures } = await api.get(`/attribute_runs/${String(failed.body['id'])}/failures`);
    const message = 'Error: no (line 1)';
    expect(failures).toMatchObject([
      { entity_id: ids[0], entity_key: 'a', message },
      { entity_id: ids[1], entity_key: 'b', message },
    ]);
  });

  it('of several pipelines are started in their order', async () => {
    const { type, api, ids } = await boxes();
    await areaIs(api, ids[1]!, 9);
    const wish = { pipelines: [`${type}.area`] };
    const done = await post(`${api.url}/attribute_pipelines/run`, wish, { prefer: 'wait=30' });
    expect(done).toMatchObject({
      status: 200,
      body: {
        status: 'completed',
        planned: 1,
        completed: 1,
        failed: 0,
        attribute_runs: [{ pipeline: `${type}.area`, status: 'completed' }],
      },
    });
    const [first] = done.body['attribute_runs'] as { readonly id: string }[];
    expect(await api.get(`/attribute_runs/${first!.id}`)).toMatchObject({
      trigger_reference: done.body['workflow_id'],
      entities_processed: 2,
    });
    const self = `/attribute_refreshes/${String(done.body['id'])}`;
    expect(await api.get(self)).toEqual(done.body);
    expect((await api.call('POST', `${self}/cancel`)).body).toMatchObject({
      type: 'execution_closed',
      status: 'completed',
    });
    expect((await api.call('GET', '/attribute_refreshes/01NOWHERE')).status).toBe(404);
    // What the catalog saves has them run by itself. Nobody has asked for that, and it is shown nowhere.
    expect((await api.call('GET', `/attribute_refreshes/${type}`)).status).toBe(404);
  });

  it('of several pipelines are cancelled together, and those that wait do not begin', async () => {
    const held = gate();
    const waiting = defineModule({
      slug: 'waiting',
      label: 'Waiting',
      description: 'Waits for a test.',
      type: 'processor',
      settings: z.strictObject({}),
      process: async (contexts, { signal }) => {
        await held.pass(signal);
        return contexts.map(() => moduleResult.ok(1));
      },
    });
    const integer = { dataType: 'integer' } as const;
    const computed = { ...integer, editable: 'no' } as const;
    const stack = await start(
      { modules: [waiting] },
      { one: integer, two: computed, three: computed },
    );
    const api = new AttributeApi((await serve(stack.env.engine)).url);
    const [two, three] = [`${stack.type}.two`, `${stack.type}.three`];
    for (const [attribute, input] of [
      [two, 'one'],
      [three, 'two'],
    ])
      await api.post('/attribute_pipelines', {
        attribute,
        automatic: false,
        modules: [
          { module: 'attributes_source', settings: { attributes: [input] } },
          { module: 'waiting', settings: {} },
        ],
      });
    await stack.save({ a: { one: 1 } });
    const begun = await api.post('/attribute_pipelines/run', { entity_type: stack.type });
    await held.reached;
    const self = `/attribute_refreshes/${String(begun['id'])}`;
    expect(await api.get(self)).toMatchObject({
      status: 'running',
      attribute_runs: [
        { pipeline: two, status: 'running', links: { run: expect.any(String) } },
        { pipeline: three, status: 'pending', waits_for: [two] },
      ],
    });
    await api.post(`${self}/cancel`);
    const over = await until(async () => {
      const shown = await api.get(self);
      return shown['status'] === 'running' ? undefined : shown;
    });
    expect(over).toMatchObject({
      status: 'cancelled',
      attribute_runs: [
        { pipeline: two, status: 'cancelled' },
        { pipeline: three, status: 'cancelled' },
      ],
    });
    const { attribute_runs: runs } = await api.get(`/attribute_runs?entity_type=${stack.type}`);
    expect(runs).toMatchObject([{ pipeline: two, status: 'aborted' }]);
  });

  it('of several are refused with what none of them can be asked, before anything begins', async () => {
    const { type, api } = await boxes();
    const refused = (body: object) =>
      api.call('POST', '/attribute_pipelines/run', { entity_type: type, ...body });
    const filter = [{ attribute: 'weight', operator: '>', value: 1 }];
    expect((await refused({ filter })).body).toMatchObject({
      violations: [{ path: 'filter[0]' }],
    });
    expect((await refused({ max_entities: -5 })).status).toBe(422);
    expect((await refused({ pipelines: [`${type}.weight`] })).status).toBe(404);
  });

  it('are quoted as they would be asked', async () => {
    const { type, api, ids } = await boxes();
    const quote = (body: object) => api.post(`/attribute_pipelines/${type}.area/quote`, body);
    expect(await quote({})).toMatchObject({ entities: 2, force: true });
    const filter = [{ attribute: 'width', operator: '>', value: 2 }];
    expect(await quote({ filter })).toMatchObject({ entities: 1 });
    expect(await quote({ max_entities: 1 })).toMatchObject({ entities: 1 });
    expect(await quote({ entity_ids: [ids[1]!] })).toMatchObject({ entities: 1 });
  });

  it('that are tried and cannot be made tell why', async () => {
    const throwing = defineModule({
      slug: 'throwing',
      label: 'Throwing',
      description: 'Throws.',
      type: 'processor',
      settings: z.strictObject({}),
      process: () => {
        throw permanent('nobody can make this');
      },
    });
    const integer = { dataType: 'integer' } as const;
    const stack = await start({ modules: [throwing] }, { one: integer, two: integer });
    const api = new AttributeApi((await serve(stack.env.engine)).url);
    const [entity_id] = await stack.save({ a: { one: 1 } });
    const tried = await api.call('POST', '/attribute_pipelines/try', {
      attribute: `${stack.type}.two`,
      entity_id,
      modules: [
        { module: 'attributes_source', settings: { attributes: ['one'] } },
        { module: 'throwing', settings: {} },
      ],
    });
    expect(tried).toMatchObject({
      status: 500,
      body: { type: 'execution_error', error: expect.stringContaining('nobody can make this') },
    });
  });

  it('tell which entities have failed', async () => {
    const { type, api } = await boxes();
    await api.ok('PATCH', `/attribute_pipelines/${type}.area`, {
      lock_version: 1,
      on_error: 'continue',
      modules: [
        { module: 'attributes_source', settings: { attributes: ['width'] } },
        { module: 'calculation', settings: { code: 'throw new Error("no")' } },
      ],
    });
    const run = await api.post(`/attribute_pipelines/${type}.area/run`, { queue: true });
    const self = `/attribute_runs/${String(run['id'])}`;
    await until(async () => ((await api.get(self))['completed_at'] === null ? undefined : true));
    expect(await api.get(self)).toMatchObject({ status: 'completed', entities_failed: 2 });
    expect(await api.get(`${self}/failures?limit=1`)).toMatchObject({
      failures: [{ module: 'calculation', message: 'Error: no (line 1)' }],
      next: expect.any(String),
    });
  });
});

describe('who asks', () => {
  it('is authenticated, authorized for what the request does, and kept with it', async () => {
    const { stack, type, ids } = await boxes();
    const asked: unknown[] = [];
    const { url } = await serve(stack.env.engine, {
      apiAuthentication: (ctx) => ctx.get('x-user') || false,
      authorizeAttributes: (ctx, requested) => {
        asked.push(requested);
        return requested.access === 'read' || ctx.state['principal'] === 'ann';
      },
    });
    expect((await new AttributeApi(url).call('GET', '/entity_types')).status).toBe(401);
    const bob = new AttributeApi(url, { 'x-user': 'bob' });
    const path = `/attribute_pipelines/${type}.area`;
    expect(await bob.get(path)).toMatchObject({ entity_type: type });
    expect((await bob.call('POST', `${path}/run`, {})).status).toBe(403);
    const ann = new AttributeApi(url, { 'x-user': 'ann' });
    const run = await ann.post(`${path}/run`, { queue: true });
    expect(run).toMatchObject({ principal: 'ann' });
    const value = `/entities/${ids[0]!}/values/width`;
    await ann.ok('PUT', value, { value: 8 });
    expect(await ann.get(`${value}/history?limit=1`)).toMatchObject({
      history: [{ change: 'edited', principal: 'ann' }],
    });
    expect(asked).toContainEqual({ access: 'run', entityType: type });
    expect(asked).toContainEqual({ access: 'edit', entityType: type });
    // By the id of a run, or of several entities, it is asked about their types.
    asked.length = 0;
    await ann.get(`/attribute_runs/${String(run['id'])}`);
    const values = [{ entity_id: ids[0]!, attribute: 'area' }];
    await ann.call('POST', '/entities/approve', { values });
    await ann.call('POST', '/attribute_pipelines/run', { pipelines: [`${type}.area`] });
    expect(asked).toEqual(['read', 'edit', 'run'].map((access) => ({ access, entityType: type })));
    const shown = await ann.get(path);
    const edit = { lock_version: shown['lock_version'], name: 'Areas' };
    expect(await ann.ok('PATCH', path, edit)).toMatchObject({ updated_by: 'ann' });
  });

  it('gets nothing of another pipeline by the id of one of its evals', async () => {
    const { type, api, ids } = await boxes();
    await api.post('/attributes', { entity_type: type, name: 'half', data_type: 'number' });
    const half = {
      attribute: `${type}.half`,
      modules: [
        { module: 'attributes_source', settings: { attributes: ['width'] } },
        { module: 'calculation', settings: { code: 'return $json.width / 2' } },
      ],
    };
    await api.ok('PATCH', `/attributes/${type}.half`, { lock_version: 1, editable: 'no' });
    await api.post('/attribute_pipelines', half);
    const { id } = await api.post(`/attribute_pipelines/${type}.area/evals`, {
      entity_id: ids[0]!,
      desired_output: 4,
    });
    const other = `/attribute_pipelines/${type}.half/evals/${String(id)}`;
    for (const [method, body] of [
      ['GET', undefined],
      ['PATCH', { lock_version: 1, notes: 'mine' }],
      ['DELETE', undefined],
    ] as const)
      expect((await api.call(method, other, body)).status).toBe(404);
    await api.get(`/attribute_pipelines/${type}.area/evals/${String(id)}`);
  });
});
