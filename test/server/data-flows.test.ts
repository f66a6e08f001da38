import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineDataFlow } from '../../src/data-flow/data-flow.js';
import { useFlowStack } from '../support/flow-stack.js';
import { endOf, listSink, listSource, numbered, uniqueFlow } from '../support/flows.js';
import { post, send, useServers, type Answer } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { CONFIGURATION } from './flow-configuration.js';

const temporal = useTemporal();
const start = useFlowStack(temporal);
const serve = useServers();

/** A flow that a schedule starts, one that heartbeats start, and one that comes after them. */
function defined() {
  const [timed, beating, following] = [uniqueFlow('a'), uniqueFlow('b'), uniqueFlow('c')];
  const flows = [
    defineDataFlow({
      name: timed,
      description: 'Moves numbers.',
      schedule: { cron: '0 3 * * *', timezone: 'Europe/Berlin' },
      configuration: CONFIGURATION,
      source: listSource(() => numbered(5)),
      sink: listSink([]),
    }),
    defineDataFlow({
      name: beating,
      schedule: { heartbeat: { every: '10m' } },
      run: () => undefined,
    }),
    defineDataFlow({ name: following, after: [timed, beating], run: () => undefined }),
  ];
  return { flows, timed, beating, following };
}

async function patch(url: string, value: unknown): Promise<Answer> {
  return post(url, value, {}, { method: 'PATCH' });
}

describe('GET /data_flows', () => {
  it('lists all flows with what they are set to and how they are started, before any worker has declared them', async () => {
    const { flows, timed, beating, following } = defined();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine);
    const { status, headers, body } = await send(`${url}/data_flows`);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      data_flows: [
        {
          id: expect.any(String),
          name: timed,
          description: 'Moves numbers.',
          enabled: true,
          note: null,
          configuration: { region: 'north', pages: 10 },
          configuration_problems: [],
          run_interval: null,
          schedule: { kind: 'cron', cron: '0 3 * * *', timezone: 'Europe/Berlin' },
          after: [],
          heartbeat: false,
          defined: true,
          last_run_at: null,
          last_run_status: null,
          last_run_seq: 0,
          cursor: null,
          created_at: expect.any(String),
          updated_at: expect.any(String),
          links: {
            self: `/data_flows/${timed}`,
            runs: `/data_flows/${timed}/runs`,
            schedule: `/data_flows/${timed}/schedule`,
          },
        },
        expect.objectContaining({
          name: beating,
          run_interval: 600,
          schedule: { kind: 'heartbeat', seconds: 600 },
          heartbeat: true,
          links: { self: `/data_flows/${beating}`, runs: `/data_flows/${beating}/runs` },
        }),
        expect.objectContaining({
          name: following,
          schedule: { kind: 'none' },
          after: [timed, beating],
        }),
      ],
    });
  });

  it('shows one flow with the schema of its configuration, and 404 for a name that there is not', async () => {
    const { flows, timed } = defined();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine);
    const { body } = await send(`${url}/data_flows/${timed}`);
    expect(body).toMatchObject({
      name: timed,
      configuration_schema: { type: 'object', properties: { region: { default: 'north' } } },
    });
    const missing = await send(`${url}/data_flows/nobody`);
    expect([missing.status, missing.body]).toMatchObject([
      404,
      { success: false, type: 'not_found', error: 'There is no data flow "nobody".' },
    ]);
  });

  it('answers an empty list and opens no catalog where the project has no flows', async () => {
    const { engine } = await start({ flows: [], worker: false });
    const asked: string[] = [];
    engine.dataFlows = async () => {
      asked.push('catalog');
      throw new Error('a catalog was opened');
    };
    const { url } = await serve(engine);
    expect((await send(`${url}/data_flows`)).body).toEqual({ data_flows: [] });
    expect((await send(`${url}/data_flows/any`)).status).toBe(404);
    const beat = await post(`${url}/data_flows/heartbeat`);
    expect(beat.body).toMatchObject({ flows_due: 0, flows_triggered: 0 });
    expect(asked).toEqual([]);
  });

  it('is served where dataFlows.routes says so, and as catchAllRoutes unless it says anything', async () => {
    const { flows } = defined();
    const { engine } = await start({ flows, worker: false });
    const statusWith = async (config: object): Promise<number> =>
      (await send(`${(await serve(engine, config)).url}/data_flows`)).status;
    expect(await statusWith({ catchAllRoutes: true })).toBe(200);
    expect(await statusWith({ catchAllRoutes: false })).toBe(404);
    expect(await statusWith({ catchAllRoutes: false, dataFlows: { routes: true } })).toBe(200);
    expect(await statusWith({ catchAllRoutes: true, dataFlows: { routes: false } })).toBe(404);
  });

  it('answers other methods with 405 and what there is', async () => {
    const { flows, timed } = defined();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine);
    const allowed: readonly (readonly [string, string, string])[] = [
      ['POST', '/data_flows', 'GET, HEAD'],
      ['DELETE', `/data_flows/${timed}`, 'GET, HEAD, PATCH'],
      ['GET', `/data_flows/${timed}/run`, 'POST'],
      ['GET', `/data_flows/${timed}/backfill`, 'POST'],
      ['GET', `/data_flows/${timed}/reset`, 'POST'],
      ['POST', `/data_flows/${timed}/schedule`, 'GET, HEAD'],
      ['GET', `/data_flows/${timed}/runs/1/cancel`, 'POST'],
    ];
    for (const [method, path, allow] of allowed) {
      const { status, headers } = await send(`${url}${path}`, { method });
      expect([method, path, status, headers.get('allow')]).toEqual([method, path, 405, allow]);
    }
  });
});

describe('PATCH /data_flows/:name', () => {
  it('changes what is named and leaves the rest, also when the code declares its flows again', async () => {
    const { flows, beating, timed } = defined();
    const stack = await start({ flows, worker: false });
    const { url } = await serve(stack.engine);
    const first = await patch(`${url}/data_flows/${timed}`, { configuration: { pages: 3 } });
    expect([first.status, first.body]).toMatchObject([
      200,
      { name: timed, enabled: true, configuration: { region: 'north', pages: 3 } },
    ]);
    await patch(`${url}/data_flows/${beating}`, { enabled: false, run_interval: 30 });
    const other = await start({ flows, beside: stack });
    await other.flows.reconciliation.declare(new Date());
    expect((await send(`${url}/data_flows/${timed}`)).body).toMatchObject({
      configuration: { region: 'north', pages: 3 },
    });
    expect((await send(`${url}/data_flows/${beating}`)).body).toMatchObject({
      enabled: false,
      run_interval: 30,
      schedule: { kind: 'heartbeat', seconds: 30 },
    });
  });

  it('refuses what does not fit, all of it at once and each with its path, and changes nothing', async () => {
    const { flows, timed } = defined();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine);
    const answer = await patch(`${url}/data_flows/${timed}`, {
      enabled: 'yes',
      run_interval: 5,
      intervall: 5,
    });
    expect([answer.status, answer.body['type']]).toEqual([422, 'contract_violation']);
    expect(pathsOf(answer)).toEqual(['intervall', 'enabled', 'run_interval']);
    const nested = await patch(`${url}/data_flows/${timed}`, {
      configuration: { region: 'west', unknown: 1 },
    });
    expect(nested.status).toBe(422);
    expect(pathsOf(nested)).toEqual(['configuration.unknown', 'configuration.region']);
    expect((await send(`${url}/data_flows/${timed}`)).body).toMatchObject({
      enabled: true,
      configuration: { region: 'north', pages: 10 },
    });
  });

  it.each([0, -1, 1.5, '60', null])('refuses the interval %p', async (run_interval) => {
    const { flows, beating } = defined();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine);
    const answer = await patch(`${url}/data_flows/${beating}`, { run_interval });
    expect([answer.status, pathsOf(answer)]).toEqual([422, ['run_interval']]);
  });

  it('refuses a body that is no object', async () => {
    const { flows, timed } = defined();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine);
    for (const body of [[], 'text', 7]) {
      const { status } = await patch(`${url}/data_flows/${timed}`, body);
      expect([body, status]).toEqual([body, 400]);
    }
  });

  it('tells a configuration that does not fit the code any more, and refuses to run it', async () => {
    const name = uniqueFlow();
    const flowWith = (configuration: z.ZodObject) =>
      defineDataFlow({ name, configuration, run: () => undefined });
    const before = await start({
      flows: [flowWith(z.object({ level: z.number().default(1) }))],
      worker: false,
    });
    await before.flows.change(name, { configuration: { level: 7 } });
    const after = await start({
      flows: [flowWith(z.object({ level: z.string().default('low') }))],
      beside: before,
    });
    const { url } = await serve(after.engine);
    const message = "Property 'level' expected string, got number";
    expect((await send(`${url}/data_flows/${name}`)).body).toMatchObject({
      configuration_problems: [{ path: 'level', message }],
    });
    const refused = await post(`${url}/data_flows/${name}/run`);
    expect([refused.status, refused.body]).toMatchObject([
      422,
      { type: 'contract_violation', violations: [{ path: 'level', message }] },
    ]);
    expect(
      (await patch(`${url}/data_flows/${name}`, { configuration: { level: 'high' } })).body,
    ).toMatchObject({ configuration_problems: [] });
  });
});

describe('authorizeDataFlows', () => {
  it('decides by flow and by what would be done, and anything but true is 403', async () => {
    const { flows, timed, beating } = defined();
    const { engine } = await start({ flows, worker: false });
    const asked: unknown[] = [];
    const { url } = await serve(engine, {
      apiAuthentication: (ctx) => ctx.get('x-user'),
      authorizeDataFlows: (ctx, requested) => {
        asked.push([ctx.state['principal'], requested]);
        // As JavaScript's authors might: what is truthy is no permission.
        return requested.flow === beating
          ? ('yes' as unknown as boolean)
          : requested.access === 'read';
      },
    });
    const as = { 'x-user': 'ann' };
    expect((await send(`${url}/data_flows`)).status).toBe(401);
    expect((await send(`${url}/data_flows`, { headers: as })).status).toBe(200);
    expect((await send(`${url}/data_flows/${timed}/runs`, { headers: as })).status).toBe(200);
    expect((await send(`${url}/data_flows/${beating}`, { headers: as })).status).toBe(403);
    const refused = await post(`${url}/data_flows/${timed}/run`, {}, as);
    expect([refused.status, refused.body['type']]).toEqual([403, 'forbidden']);
    expect(asked).toEqual([
      ['ann', { access: 'read' }],
      ['ann', { access: 'read', flow: timed }],
      ['ann', { access: 'read', flow: beating }],
      ['ann', { access: 'write', flow: timed }],
    ]);
  });
});

describe('the schedule of a flow', () => {
  it('is shown with its next ten times, paused with a note, and resumed', async () => {
    const { flows, timed } = defined();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine);
    const path = `${url}/data_flows/${timed}`;
    const { status, body } = await send(`${path}/schedule`);
    expect([status, body]).toMatchObject([
      200,
      { paused: false, note: '', skipped: 0, schedule: { kind: 'cron', cron: '0 3 * * *' } },
    ]);
    expect(body['next']).toHaveLength(10);
    expect((await post(`${path}/pause`, { note: 'the shop moves' })).status).toBe(200);
    expect((await send(`${path}/schedule`)).body).toMatchObject({
      paused: true,
      note: 'the shop moves',
    });
    expect((await post(`${path}/resume`)).status).toBe(200);
    expect((await send(`${path}/schedule`)).body).toMatchObject({
      paused: false,
      note: 'Resumed over HTTP.',
    });
  });

  it('is 409 for a flow that has none; pausing such a flow disables it, and tells why', async () => {
    const { flows, beating } = defined();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine);
    const path = `${url}/data_flows/${beating}`;
    const answers = [
      await send(`${path}/schedule`),
      await post(`${path}/backfill`, {
        start: '2026-01-01T00:00:00Z',
        end: '2026-01-02T00:00:00Z',
      }),
    ];
    for (const { status, body } of answers)
      expect([status, body['type']]).toEqual([409, 'not_scheduled']);
    const note = 'Paused over HTTP.';
    expect((await post(`${path}/pause`)).body).toMatchObject({ enabled: false, note });
    expect((await post(`${path}/resume`)).body).toMatchObject({ enabled: true, note: null });
    await post(`${path}/pause`, { note: 'stocktaking' });
    expect((await send(path)).body).toMatchObject({ enabled: false, note: 'stocktaking' });
    expect((await patch(path, { enabled: true })).body).toMatchObject({ note: null });
  });

  it('refuses notes and ranges that are none, with their paths', async () => {
    const { flows, timed } = defined();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine);
    const path = `${url}/data_flows/${timed}`;
    const wrong: readonly (readonly [string, object, readonly string[]])[] = [
      ['pause', { note: 7 }, ['note']],
      ['pause', { note: 'x'.repeat(1_001) }, ['note']],
      ['resume', { note: 'x'.repeat(1_001) }, ['note']],
      ['pause', { reason: 'x' }, ['reason']],
      ['run', { configuration: {} }, ['configuration']],
      ['backfill', {}, ['start', 'end']],
      ['backfill', { start: '2026-01-02', end: '2026-01-01' }, ['end']],
      ['backfill', { start: '2026-01-01', end: '2026-01-02', step: 1 }, ['step']],
    ];
    for (const [route, body, paths] of wrong) {
      const answer = await post(`${path}/${route}`, body);
      expect([route, body, answer.status, pathsOf(answer)]).toEqual([route, body, 422, paths]);
    }
  });

  it('is backfilled: each time of the range is run, one after the other, and told as such', async () => {
    const { flows, timed } = defined();
    const stack = await start({ flows });
    const { url } = await serve(stack.engine);
    const answer = await post(`${url}/data_flows/${timed}/backfill`, {
      start: '2026-02-01T00:00:00Z',
      end: '2026-02-02T12:00:00Z',
    });
    expect([answer.status, answer.body]).toMatchObject([
      202,
      { backfill: { start: '2026-02-01T00:00:00.000Z' }, links: {} },
    ]);
    const runs = await until(async () => {
      const found = await stack.flows.runs(timed, { limit: 10 });
      return found.filter(({ endedAt }) => endedAt !== null).length === 2 ? found : undefined;
    }, 20_000);
    expect(runs.map(({ trigger, scheduledAt }) => [trigger, scheduledAt?.toISOString()])).toEqual([
      ['backfill', '2026-02-02T02:00:00.000Z'],
      ['backfill', '2026-02-01T02:00:00.000Z'],
    ]);
    await endOf(stack.flows, runs[0]!);
  });
});

function pathsOf({ body }: Answer): readonly string[] {
  // So the API describes it.
  return (body['violations'] as readonly { path: string }[]).map(({ path }) => path);
}
