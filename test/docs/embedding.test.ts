import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { post, send } from '../support/http-api.js';
import { COUNT_WORDS, WORD_REPORT } from '../support/project.js';
import { useTemporal } from '../support/temporal.js';
import { blocksOf, projectOf } from './page.js';
import { useRunningProjects, type RunningProject } from './running-project.js';

const PAGE = 'docs/embedding.md';

/** The part of the quickstart that the page goes on with, and another pipeline to be exposed or not. */
const QUICKSTART = {
  'operations/count-words.ts': COUNT_WORDS,
  'pipelines/word-report.yml': WORD_REPORT,
  'pipelines/count.yml': 'name: count\nstages: [{ name: count, operations: [count-words] }]\n',
};

const temporal = useTemporal();

describe(PAGE, () => {
  const start = useRunningProjects(temporal);
  // In a namespace of its own, where no other worker calls its hook for it.
  const startApart = useRunningProjects(temporal);
  // Nor do others take the runs of its flows.
  const startFlows = useRunningProjects(temporal);
  const project = (name?: string): Promise<RunningProject> =>
    start({ ...QUICKSTART, ...projectOf(PAGE, name) });

  // One worker for all of them: they share a namespace and the code that is run.
  beforeAll(async () => {
    await (await start({ ...QUICKSTART })).worker();
  }, 60_000);

  it('mounts every pipeline into an app', async () => {
    const url = await (await project()).app('app.ts');
    expect((await send(`${url}/elsewhere`)).body).toEqual({ hello: 'from the app around it' });
    expect((await post(`${url}/ai/word-report`, { text: 'one two' })).body).toMatchObject({
      success: true,
      result: { words: 2 },
    });
    const { status, body } = await post(`${url}/ai/word-report/async`, { text: 'one' });
    expect(status).toBe(202);
    expect(body['status_url']).toBe(`/ai/word-report/executions/${String(body['execution_id'])}`);
    expect((await send(`${url}${String(body['status_url'])}`)).status).toBe(200);
    const stream = await fetch(`${url}/ai/word-report/stream`, {
      method: 'POST',
      body: '{"text":"a"}',
      headers: { 'content-type': 'application/json' },
    });
    expect(await stream.text()).toContain('event: complete');
  });

  it('mounts one pipeline at a path of its own', async () => {
    const url = await (await project('routes')).app('app.ts');
    expect((await send(`${url}/up`)).body).toMatchObject({ status: 'ok', loaded: true });
    expect((await send(url)).body).toEqual({ see: '/api/v1/words' });
    expect((await send(`${url}/api/v1/words`)).body).toMatchObject({ name: 'word-report' });
    const { body } = await post(`${url}/api/v1/words/async`, { text: 'one' });
    expect(body['status_url']).toBe(`/api/v1/words/executions/${String(body['execution_id'])}`);
    // Nothing streams here, so that the app's own middleware answers.
    expect(body['events_url']).toBeUndefined();
    expect((await post(`${url}/api/v1/words/stream`, { text: 'one' })).body).toHaveProperty('see');
  });

  it('serves data flows to the team, and runs them from code', async () => {
    const files = { ...projectOf(PAGE, 'flow-code'), ...projectOf(PAGE, 'flows') };
    const flows = await startFlows(files);
    await flows.worker();
    const shown = blocksOf(PAGE).find(
      ({ marks }) => marks['project'] === 'flow-code' && marks['output'] !== undefined,
    );
    expect(await flows.script('report.ts')).toBe(shown?.code);
    const url = await flows.app('app.ts', { TEAM_KEY: 'sesame', HEARTBEAT_TOKEN: 'beat' });
    expect((await send(`${url}/ops/flows`)).status).toBe(401);
    const listed = await fetch(`${url}/ops/flows`, { headers: { 'x-team-key': 'sesame' } });
    expect(await listed.json()).toMatchObject({
      data_flows: [{ name: 'count-files', last_run_status: 'success', cursor: { files: 3 } }],
    });
    const beat = `${url}/ops/flows/heartbeat`;
    expect((await post(beat, {}, { 'x-team-key': 'sesame' })).status).toBe(401);
    expect((await post(beat, {}, { 'x-heartbeat-token': 'beat' })).body).toMatchObject({
      flows_due: 0,
    });
  }, 60_000);

  it('shows some pipelines to everybody and others to the team', async () => {
    const url = await (await project('exposure')).app('app.ts', { TEAM_KEY: 'sesame' });
    const text = { text: 'one two' };
    expect((await post(`${url}/public/word-report`, text)).status).toBe(200);
    expect((await fetch(`${url}/public/count`, { method: 'POST' })).status).toBe(404);
    expect((await post(`${url}/internal/count`, text)).status).toBe(401);
    expect((await post(`${url}/internal/count`, text, { 'x-team-key': 'sesame' })).status).toBe(
      200,
    );
    const listed = (await send(`${url}/public`)).body['pipelines'] as { name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(['word-report']);
  });

  it('exposes what the configuration lists, but for a router that has a list of its own', async () => {
    const url = await (await project('exposed')).app('app.ts', { TEAM_KEY: 'sesame' });
    const text = { text: 'one two' };
    expect((await post(`${url}/ai/word-report`, text)).status).toBe(200);
    const refused = await post(`${url}/ai/count`, text);
    expect([refused.status, refused.body['error']]).toEqual([403, 'Pipeline not accessible']);
    const listed = (await send(`${url}/ai`)).body['pipelines'] as { name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(['word-report']);
    expect((await post(`${url}/internal/count`, text)).status).toBe(401);
    expect((await post(`${url}/internal/count`, text, { 'x-team-key': 'sesame' })).status).toBe(
      200,
    );
  });

  it('asks who makes a request, and records it with the run', async () => {
    const url = await (
      await project('auth')
    ).server({ API_KEYS: 'ada:secret-of-ada,team:another' });
    const pipeline = `${url}/pipelines/word-report`;
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: 'Bearer ' }]) {
      expect((await post(pipeline, { text: 'a' }, headers)).status).toBe(401);
    }
    const headers = { authorization: 'Bearer secret-of-ada', 'idempotency-key': 'k' };
    const { status, body } = await post(pipeline, { text: 'a' }, headers);
    expect(status).toBe(200);
    const execution = await send(`${pipeline}/executions/${String(body['execution_id'])}`, {
      headers,
    });
    expect(execution.body).toMatchObject({ principal: 'ada', status: 'completed' });
    const other = await post(
      pipeline,
      { text: 'b' },
      { ...headers, authorization: 'Bearer another' },
    );
    expect(other.status).toBe(200);
    expect((await send(`${url}/health`)).status).toBe(401);
  });

  it('shows each principal its own runs, and all of them to one who may see them', async () => {
    const url = `${await (await project('own-runs')).server()}/pipelines/word-report`;
    const { body } = await post(url, { text: 'a' }, { 'x-user': 'ada' });
    const statusFor = async (user: string): Promise<number> =>
      (
        await send(`${url}/executions/${String(body['execution_id'])}`, {
          headers: { 'x-user': user },
        })
      ).status;
    expect(await statusFor('ada')).toBe(200);
    expect(await statusFor('bob')).toBe(404);
    expect(await statusFor('admin')).toBe(200);
  });

  it('lets pages of listed origins in, with middleware before the router', async () => {
    const url = `${await (await project('cors')).app('app.ts')}/ai/word-report`;
    const answer = await post(url, { text: 'a' }, { origin: 'https://app.example.com' });
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(answer.headers.get('access-control-expose-headers')).toContain('X-Execution-Id');
    const other = await post(url, { text: 'a' }, { origin: 'https://other.example.com' });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin: 'http://localhost:5173', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
  });

  it('tells the audit log of requests and of ends, also of a run that nobody waited for', async () => {
    const audited = await startApart({ ...QUICKSTART, ...projectOf(PAGE, 'audit') });
    await audited.worker();
    const pipeline = `${await audited.server()}/pipelines/word-report`;
    const refused = await post(pipeline, { text: 'a' }, { 'x-user': 'intern' });
    expect([refused.status, refused.body['error']]).toEqual([403, 'Ask somebody who may']);
    const { body } = await post(`${pipeline}/async`, { text: 'a b' }, { 'x-user': 'ada' });
    const entries = await auditLog(audited, 2);
    expect(entries).toEqual([
      { event: 'requested', user: 'ada', name: 'word-report', properties: ['text'] },
      {
        event: 'ended',
        id: body['execution_id'],
        principal: 'ada',
        name: 'word-report',
        status: 'completed',
        durationMs: expect.any(Number),
      },
    ]);
  });

  it('works in the process of the app', async () => {
    const url = await (
      await startApart({ ...QUICKSTART, ...projectOf(PAGE, 'worker') })
    ).app('app.ts');
    expect((await post(`${url}/ai/word-report`, { text: 'one two' })).body).toMatchObject({
      success: true,
      result: { words: 2 },
    });
  });

  it('starts the whole server from code', async () => {
    const url = await (await project('server')).app('server.ts');
    expect((await send(`${url}/health`)).body).toMatchObject({ status: 'ok' });
    expect((await send(`${url}/openapi.json`)).body).toHaveProperty('openapi');
    expect((await post(`${url}/pipelines/word-report`, { text: 'one two' })).body).toMatchObject({
      result: { words: 2 },
    });
  });

  it('starts the whole server with routers of its own, which it guards', async () => {
    const url = await (await project('server-routes')).app('server.ts');
    const words = `${url}/partners/words`;
    expect((await post(words, { text: 'one two' })).body).toMatchObject({ result: { words: 2 } });
    expect((await post(words, { text: 'one '.repeat(3_000) })).status).toBe(413);
    expect((await send(`${url}/up`)).body).toMatchObject({ status: 'ok', loaded: true });
    expect((await send(`${url}/health`)).status).toBe(200);
    const crossing = { 'sec-fetch-site': 'cross-site' };
    expect((await post(words, { text: 'one two' }, crossing)).status).toBe(403);
  });

  it('runs pipelines from code', async () => {
    const printed = await (await project('code')).script('report.ts');
    const shown = blocksOf(PAGE).find(
      ({ language, marks }) => language === 'text' && marks['project'] === 'code',
    );
    expect(printed).toBe(shown?.code);
  });
});

async function auditLog({ dir }: RunningProject, count: number): Promise<readonly unknown[]> {
  for (let look = 0; look < 200; look += 1) {
    const lines = readFileSync(join(dir, 'audit.log'), 'utf8').trim().split('\n');
    if (lines.length >= count) return lines.map((line) => JSON.parse(line) as unknown);
    await delay(50);
  }
  throw new Error(readFileSync(join(dir, 'audit.log'), 'utf8'));
}
