import { beforeAll, describe, expect, it } from '@jest/globals';
import { post } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';
import { expectPrinted } from './output.js';
import { blocksOf, placeOf, projectOf } from './page.js';
import { useRunningProjects, type RunningProject } from './running-project.js';
import { execute } from './shell.js';

const PAGE = 'docs/pipelines.md';

const temporal = useTemporal();

describe(PAGE, () => {
  const start = useRunningProjects(temporal);
  const blocks = blocksOf(PAGE);
  let project: RunningProject;
  let url = '';

  beforeAll(async () => {
    project = await start(projectOf(PAGE));
    await project.worker();
    url = await project.server();
  }, 60_000);

  it.each(
    blocks
      .filter(({ marks }) => marks['run'] !== undefined)
      .map((block) => [placeOf(block), block] as const),
  )('%s prints what it shows', async (_place, block) => {
    const shown = blocks[blocks.indexOf(block) + 1];
    expect(shown?.marks).toHaveProperty('output');
    expectPrinted(
      shown?.code ?? '',
      await execute(block.code, { cwd: project.dir, env: process.env, url }),
    );
  });

  it('fails a quote in a currency that nobody knows with the type that it says', async () => {
    const input = { amount: 1, currency: 'XYZ', customerId: '7' };
    const { status, body } = await post(`${url}/pipelines/quote`, input);
    expect([status, body['code'], body['stage'], body['attempts']]).toEqual([
      500,
      'UnknownCurrency',
      'look up',
      1,
    ]);
  });

  it('runs all that YAML can say', async () => {
    const input = { amount: 100, currency: 'EUR', customerId: '0' };
    const { body } = await post(`${url}/pipelines/everything`, input);
    expect(body['result']).toEqual({
      ...input,
      converted: 100,
      customerName: 'Customer 0',
      regular: false,
    });
  });
});
