import { describe, expect, it } from '@jest/globals';
import { readPage } from './page.js';
import { post, send } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';
import { useRunningPage } from './running-page.js';

const PAGE = 'docs/tasks.md';

const temporal = useTemporal();

describe(PAGE, () => {
  const page = useRunningPage(temporal, PAGE);

  it('has a step tried again where its handler throws, and tells its version', async () => {
    const { body } = await post(`${page.url}/tasks/fulfil-order`, { order_id: 'A-4', amount: 1 });
    const id = String(body['execution_id']);
    const shown = await send(`${page.url}/tasks/fulfil-order/executions/${id}`);
    expect(shown.body['steps']).toContainEqual(
      expect.objectContaining({ name: 'charge_card', attempts: 2, handler_version: '1.2.0' }),
    );
  });

  it('refuses a second run of the same', async () => {
    const first = await post(`${page.url}/tasks/refund`, { order_id: 'A-5' });
    expect(first.body['result']).toMatchObject({ status: 'complete' });
    expect(await post(`${page.url}/tasks/refund`, { order_id: 'A-5' })).toMatchObject({
      status: 409,
      body: { type: 'duplicate_task', execution_id: first.body['execution_id'] },
    });
  });

  it('lists the routes that tasks have beside those of pipelines', async () => {
    const { body } = await send(`${page.url}/openapi.json`);
    const paths = Object.keys(body['paths'] as object)
      .filter((path) => path.startsWith('/tasks/refund/'))
      .map((path) => path.replace('/refund', '/:name').replace(/\{(?:execution_)?(\w+)\}/g, ':$1'));
    const listed = [...readPage(PAGE).matchAll(/^\| `(?:GET|POST) (\/tasks[^`]*)`/gm)];
    for (const [, route] of listed) expect(paths).toContain(route);
    const others = paths.filter((path) => /\/steps\/|dead_letters|requeue/.test(path));
    expect(listed.map(([, route]) => route).sort()).toEqual([...others].sort());
  });
});
