import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { post, send } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { blocksOf, projectOf, readPage, ROOT } from './page.js';
import { useRunningProjects, type RunningProject } from './running-project.js';

const PAGE = 'docs/own-workflows.md';

const temporal = useTemporal();

describe(PAGE, () => {
  const start = useRunningProjects(temporal);
  let project: RunningProject;
  let url = '';

  beforeAll(async () => {
    const config = `import { defineConfig } from 'millrace';\nexport default defineConfig({ catchAllRoutes: true });\n`;
    project = await start({ ...projectOf(PAGE), 'millrace.config.ts': config });
    await project.worker();
    url = `${await project.server()}/pipelines/approval`;
  }, 60_000);

  it('shows a workflow that waits, served like a pipeline', async () => {
    expect((await send(url)).body).toMatchObject({ name: 'approval', stages: [] });
    expect((await post(url, {})).body).toMatchObject({ type: 'contract_violation' });
    const { body } = await post(url, { text: 'ship it?', waitMs: 200 });
    expect(body).toMatchObject({ success: true, result: { approved: false } });
    const events = await fetch(`${url}/executions/${String(body['execution_id'])}/events`);
    const told = [...(await events.text()).matchAll(/^event: (.+)$/gm)].map(([, type]) => type);
    expect(told).toEqual(['pipe_started', 'complete']);
  });

  it('shows a workflow that calls an activity and runs a pipeline as its child', async () => {
    const pipelines = url.replace('/approval', '');
    const { body } = await post(`${pipelines}/publish`, { text: 'ship it now', to: 'ada@home' });
    expect(body).toMatchObject({ result: { words: 3, sent: 'publish to ada@home' } });
    const listed = (): Promise<unknown> =>
      send(`${pipelines}/measure/executions`).then(({ body: page }) => page['executions']);
    await until(async () => {
      const executions = await listed();
      return Array.isArray(executions) && executions.length > 0 ? true : undefined;
    });
    expect(await listed()).toMatchObject([{ status: 'completed' }]);
    const refused = await post(`${pipelines}/publish`, { text: 'ship it now', to: 'nowhere' });
    expect(refused.body).toMatchObject({ code: 'AddressRefused', details: { to: 'nowhere' } });
    expect(project.printed()).toContain('mail sent');
  });

  it('names the version of the SDK that Millrace has', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const name = '@temporalio/workflow';
    expect(readPage(PAGE)).toContain(`npm install ${name}@${String(dependencies[name])}`);
  });

  it('shows a run that is decided from code', async () => {
    const shown = blocksOf(PAGE).find(({ language }) => language === 'text')?.code;
    expect(await project.script('decide.ts')).toBe(shown);
    // Whoever pastes it a second time gets a second run.
    expect(await project.script('decide.ts')).toBe(shown);
  });
});
