import { expect, it, jest } from '@jest/globals';
import { defineDataFlow } from '../../src/data-flow/data-flow.js';
import { useFlowStack } from '../support/flow-stack.js';
import { endOf, uniqueFlow } from '../support/flows.js';
import { post, send, useServers } from '../support/http-api.js';
import { useOwnTemporal } from '../support/own-temporal.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000);

const temporal = useOwnTemporal();
const start = useFlowStack(temporal);
const serve = useServers();

it('a run that is asked for while Temporal is away is claimed, told with 503, and started when it is back', async () => {
  const [manual, beating, later] = [uniqueFlow('a'), uniqueFlow('b'), uniqueFlow('c')];
  const stack = await start({
    flows: [
      defineDataFlow({ name: manual, run: () => undefined }),
      ...[beating, later].map((name) =>
        defineDataFlow({ name, schedule: { heartbeat: { every: '1h' } }, run: () => undefined }),
      ),
    ],
  });
  const { flows, engine } = stack;
  const { url } = await serve(engine);
  await flows.list();
  await temporal.kill();
  const answer = await post(`${url}/data_flows/${manual}/run`);
  expect([answer.status, answer.headers.get('retry-after'), answer.body]).toMatchObject([
    503,
    '2',
    {
      type: 'unavailable',
      error: `Run 1 of "${manual}" is claimed; it will be started as soon as the Temporal server answers again.`,
      run_seq: 1,
    },
  ]);
  const run = await flows.findRun(manual, '1');
  expect([run.id, run.status]).toEqual([answer.body['run_id'], 'pending']);
  // What the catalog knows is told all the same.
  expect((await send(`${url}/data_flows/${manual}/runs/1`)).body).toMatchObject({
    status: 'pending',
  });
  const beat = await post(`${url}/data_flows/heartbeat`);
  expect([beat.status, beat.body]).toMatchObject([200, { flows_due: 2, flows_triggered: 0 }]);
  // The first has shown that there is no point in claiming others.
  expect(await flows.runs(later, { limit: 1 })).toEqual([]);
  await temporal.restart();
  await until(async () => {
    const { started } = await flows.reconciliation.run(new Date(Date.now() + 60_000));
    return started.length > 0 ? started : undefined;
  }, 30_000);
  expect((await post(`${url}/data_flows/heartbeat`)).body).toMatchObject({ flows_triggered: 1 });
  expect(await endOf(flows, run)).toMatchObject({ status: 'success' });
});
