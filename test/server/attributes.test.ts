import { describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import { areaIs, useBoxApi } from '../support/box-api.js';

const { empty, boxes } = useBoxApi();

describe('entity types and attributes over HTTP', () => {
  it('are added, listed, changed and removed', async () => {
    const { type, api } = await empty();
    const other = `${type}_other`;
    const added = await api.post('/entity_types', { name: other, label: 'Other' });
    expect(added).toMatchObject({ name: other, label: 'Other', lock_version: 1 });
    const changed = await api.ok('PATCH', `/entity_types/${other}`, {
      lock_version: 1,
      description: 'Others.',
    });
    expect(changed).toMatchObject({ label: 'Other', description: 'Others.', lock_version: 2 });
    const attribute = await api.post('/attributes', {
      entity_type: other,
      name: 'color',
      data_type: 'select',
      allowed_values: ['red', 'green'],
    });
    expect(attribute).toMatchObject({ editable: 'yes', needs_approval: 'no', is_sync: 'no' });
    expect(
      await api.ok('PATCH', `/attributes/${other}.color`, { lock_version: 1, label: 'Color' }),
    ).toMatchObject({ label: 'Color', lock_version: 2 });
    expect(await api.get(`/attributes?entity_type=${other}`)).toMatchObject({
      attributes: [{ name: 'color' }],
    });
    expect((await api.call('DELETE', `/entity_types/${other}`)).body).toMatchObject({
      type: 'in_use',
    });
    await api.ok('DELETE', `/attributes/${other}.color`);
    await api.ok('DELETE', `/entity_types/${other}`);
    expect((await api.call('GET', `/entity_types/${other}`)).status).toBe(404);
  });

  it('are refused with everything that is wrong, and where', async () => {
    const { type, api } = await empty();
    const { status, body } = await api.call('POST', '/attributes', {
      entity_type: type,
      name: 'color',
      data_type: 'colour',
      alowed_values: [],
    });
    expect([status, body['type']]).toEqual([422, 'contract_violation']);
    expect((body['violations'] as { path: string }[]).map(({ path }) => path).sort()).toEqual([
      'alowed_values',
      'data_type',
    ]);
    expect(
      (
        await api.call('POST', '/attributes', {
          entity_type: type,
          name: 'color',
          data_type: 'select',
        })
      ).body,
    ).toMatchObject({ violations: [{ path: 'allowed_values' }] });
    expect((await api.call('GET', '/attributes')).status).toBe(400);
    expect((await api.call('POST', '/entity_types', { name: type })).body).toMatchObject({
      type: 'name_taken',
    });
  });

  it('tell who edits what somebody else has edited meanwhile what there is now', async () => {
    const { type, api } = await empty();
    await api.ok('PATCH', `/entity_types/${type}`, { lock_version: 1, label: 'First' });
    const { status, body } = await api.call('PATCH', `/entity_types/${type}`, {
      lock_version: 1,
      label: 'Second',
    });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      type: 'edit_conflict',
      yours: 1,
      theirs: 2,
      current: { label: 'First', lock_version: 2 },
    });
  });
});

describe('entities over HTTP', () => {
  it('are saved, found by filters, paged and shown in views', async () => {
    const { type, api, ids } = await boxes();
    const [a = '', b = ''] = ids;
    await areaIs(api, a, 4);
    await areaIs(api, b, 9);
    const filter = JSON.stringify([{ attribute: 'width', operator: '>', value: 2 }]);
    const found = await api.get(
      `/entities?entity_type=${type}&count=true&filter=${encodeURIComponent(filter)}`,
    );
    expect(found).toMatchObject({
      count: 1,
      entities: [{ id: b, key: 'b', values: { width: 3, area: 9 } }],
    });
    const first = await api.get(`/entities?entity_type=${type}&limit=1`);
    expect(first).toMatchObject({ entities: [{ id: a }], next: a });
    expect(await api.get(`/entities?entity_type=${type}&after=${a}`)).toMatchObject({
      entities: [{ id: b }],
    });
    expect(await api.get(`/entities/${a}?view=approved`)).toMatchObject({ values: { width: 2 } });
    expect(await api.get(`/entities/${a}?view=all`)).toMatchObject({
      values: { area: { current: 4, confidence: 1, awaits_approval: true, pipeline_version: 1 } },
    });
    await api.ok('DELETE', `/entities/${a}`);
    expect((await api.call('GET', `/entities/${a}`)).status).toBe(404);
  });

  it('are named by type and key wherever ids are', async () => {
    const { type, api, ids } = await boxes();
    const named = `/entities/${type}.b`;
    expect(await api.get(named)).toMatchObject({ id: ids[1], key: 'b' });
    await api.ok('PUT', `${named}/values/width`, { value: 7 });
    await areaIs(api, ids[1]!, 49);
    expect(await api.get(`${named}/values/area/explain`)).toMatchObject({ stale: false });
    expect(
      await api.post('/attribute_pipelines/try', {
        attribute: `${type}.area`,
        entity_id: `${type}.b`,
        modules: [
          { module: 'attributes_source', settings: { attributes: ['width'] } },
          { module: 'calculation', settings: { code: 'return $json.width' } },
        ],
      }),
    ).toMatchObject({ value: 7 });
    const path = `/attribute_pipelines/${type}.area/evals`;
    expect(
      await api.ok('POST', path, { entity_id: `${type}.b`, desired_output: 49 }),
    ).toMatchObject({ entity_id: ids[1], entity_key: 'b' });
    const values = [{ entity_id: `${type}.b`, attribute: 'area' }];
    expect(await api.post('/entities/approve', { values })).toMatchObject({
      values: [{ approved: 49 }],
    });
    for (const name of [`${type}.c`, `${type}x.b`])
      expect(await api.call('GET', `/entities/${name}`)).toMatchObject({
        status: 404,
        body: { type: 'not_found', error: `There is no entity "${name}".` },
      });
  });

  it('are not listed by a parameter that nobody knows', async () => {
    const { type, api } = await boxes();
    const { status, body } = await api.call('GET', `/entities?entity_type=${type}&kee=b`);
    expect([status, body['type']]).toEqual([400, 'invalid_request']);
    expect(body['error']).toMatch(/^Unknown parameter "kee"\. .*entity_type/);
    const none = await api.call('GET', `/entities/${type}.a/values/area/explain?deep=1`);
    expect(none.body['error']).toBe('Unknown parameter "deep". There are none here.');
  });

  it('are refused all together, with the path of each wrong value', async () => {
    const { type, api } = await boxes();
    const { status, body } = await api.call('POST', '/entities', {
      entity_type: type,
      entities: [
        { key: 'x', values: { width: 'wide' } },
        { key: 'y', values: { area: 1 } },
        { key: 'z', values: { nothing: 1 } },
      ],
    });
    expect(status).toBe(422);
    expect((body['violations'] as { path: string }[]).map(({ path }) => path)).toEqual([
      'entities[0].values.width',
      'entities[1].values.area',
      'entities[2].values.nothing',
    ]);
    const wrong = encodeURIComponent('[{"attribute":"width","operator":">","value":"wide"}]');
    expect(
      (await api.call('GET', `/entities?entity_type=${type}&filter=${wrong}`)).body,
    ).toMatchObject({ type: 'contract_violation', violations: [{ path: 'filter[0]' }] });
    expect((await api.call('GET', `/entities?entity_type=${type}&filter=x`)).status).toBe(400);
  });

  it('have values that are overridden, approved, published, and tell how they came about', async () => {
    const { type, api, ids } = await boxes();
    const [a = '', b = ''] = ids;
    await areaIs(api, a, 4);
    await areaIs(api, b, 9);
    const path = `/entities/${a}/values/area`;
    const queue = await api.get(`/entities/awaiting_approval?entity_type=${type}`);
    expect(queue).toMatchObject({ values: [{ attribute: 'area' }, { attribute: 'area' }] });
    await api.post(`${path}/approve`);
    const overridden = await api.ok('PUT', `${path}/override`, { value: 5, version: 2 });
    expect(overridden).toMatchObject({ value: 5, current: 4, approved: 4, awaits_approval: true });
    const late = await api.call('PUT', `${path}/override`, { value: 6, version: 2 });
    expect([late.status, late.body['type']]).toEqual([409, 'edit_conflict']);
    await api.post('/entities/approve', {
      values: [a, b].map((entity_id) => ({ entity_id, attribute: 'area' })),
    });
    expect(await api.post(`${path}/publish`)).toMatchObject({ approved: 5, live: 5 });
    expect(await api.ok('DELETE', `${path}/override`)).toMatchObject({ value: 4, live: 5 });
    const { history } = await api.get(`${path}/history`);
    expect((history as { change: string }[]).map(({ change }) => change)).toEqual([
      'override_removed',
      'published',
      'approved',
      'overridden',
      'approved',
      'computed',
    ]);
    const refused = await api.call('PUT', `/entities/${a}/values/area`, { value: 1 });
    expect(refused).toMatchObject({ status: 422, body: { violations: [{ path: 'value' }] } });
    expect(await api.ok('PUT', `/entities/${a}/values/width`, { value: 7 })).toMatchObject({
      value: 7,
    });
    await areaIs(api, a, 49);
    expect((await api.call('GET', `/entities/${a}/values/nothing`)).status).toBe(404);
  });
});

describe('attribute pipelines over HTTP', () => {
  it('are listed, changed with their modules, and removed', async () => {
    const { type, api, pipeline } = await boxes();
    const path = `/attribute_pipelines/${type}.area`;
    expect(await api.get(`/attribute_pipelines?entity_type=${type}`)).toMatchObject({
      attribute_pipelines: [{ pipeline: `${type}.area`, inputs: ['width'] }],
    });
    const named = await api.ok('PATCH', path, {
      lock_version: pipeline['lock_version'],
      name: 'Areas',
      on_error: 'continue',
      run_budget: 5,
    });
    expect(named).toMatchObject({
      name: 'Areas',
      on_error: 'continue',
      run_budget: 5,
      pipeline_version: 1,
      lock_version: 2,
    });
    const added = await api.post(`${path}/modules`, {
      lock_version: 2,
      module: 'calculation',
      settings: { code: 'return $value + 1' },
    });
    const ids = (added['modules'] as { id: string }[]).map(({ id }) => id);
    expect(added).toMatchObject({ pipeline_version: 2, lock_version: 3 });
    const edited = await api.ok('PATCH', `${path}/modules/${ids[2]!}`, {
      lock_version: 3,
      settings: { code: 'return $value + 2' },
    });
    expect((edited['modules'] as { id: string }[]).map(({ id }) => id)).toEqual(ids);
    const wrong = await api.call('PUT', `${path}/modules`, {
      lock_version: 4,
      order: [ids[1], ids[0], ids[2]],
    });
    expect(wrong.body).toMatchObject({ violations: [{ path: 'modules' }] });
    await api.ok('PUT', `${path}/modules`, { lock_version: 4, order: [ids[0], ids[2], ids[1]] });
    const removed = await api.ok('DELETE', `${path}/modules/${ids[1]!}?lock_version=5`);
    expect(removed['modules']).toHaveLength(2);
    // A run of what was saved may go on.
    await until(async () => ((await api.call('DELETE', path)).status === 204 ? true : undefined));
    expect((await api.call('GET', path)).status).toBe(404);
  });

  it('are checked without being saved: settings, order and cycles', async () => {
    const { type, api } = await boxes();
    const modules = (attribute: string) => [
      { module: 'attributes_source', settings: { attributes: [attribute] } },
      { module: 'calculation', settings: { code: 'return 1' } },
    ];
    await api.post('/attributes', {
      entity_type: type,
      name: 'volume',
      data_type: 'integer',
      editable: 'no',
    });
    const volume = { attribute: `${type}.volume`, modules: modules('area') };
    expect(await api.post('/attribute_pipelines/validate', volume)).toEqual({
      valid: true,
      inputs: ['area'],
    });
    expect((await api.call('GET', `/attribute_pipelines/${type}.volume`)).status).toBe(404);
    await api.post('/attribute_pipelines', volume);
    const cycle = { attribute: `${type}.area`, modules: modules('volume') };
    for (const [method, path, body] of [
      ['POST', '/attribute_pipelines/validate', cycle],
      ['PATCH', `/attribute_pipelines/${type}.area`, { lock_version: 1, modules: cycle.modules }],
    ] as const)
      expect((await api.call(method, path, body)).body).toMatchObject({
        type: 'dependency_cycle',
        cycle: expect.arrayContaining(['area', 'volume']),
      });
    const wrong = await api.call('POST', '/attribute_pipelines/validate', {
      attribute: `${type}.volume`,
      modules: [
        { module: 'attributes_source', settings: { attributes: [] } },
        { module: 'calculation', settings: { code: 'return (' } },
        { module: 'calculaton' },
      ],
    });
    expect((wrong.body['violations'] as { path: string }[]).map(({ path }) => path)).toEqual([
      'modules[0].settings.attributes',
      'modules[1].settings.code',
      'modules[2].module',
    ]);
  });

  it('tell which modules there are, with what a form for their settings needs', async () => {
    const { api } = await empty();
    const { modules } = await api.get('/attribute_pipelines/modules');
    expect(modules).toMatchObject([
      { slug: 'attributes_source', type: 'source' },
      {
        slug: 'calculation',
        type: 'processor',
        settings_schema: {
          required: ['code'],
          properties: { code: { type: 'string', title: 'Code', widget: 'code' } },
        },
      },
      { slug: 'ai_prompt', settings_schema: { properties: { model: { widget: 'model' } } } },
    ]);
  });
});
