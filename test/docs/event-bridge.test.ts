import { beforeAll, describe, expect, it } from '@jest/globals';
import { useTemporal } from '../support/temporal.js';
import { expectPrinted } from './output.js';
import { blocksOf, placeOf, projectOf } from './page.js';
import { useRunningProjects, type RunningProject } from './running-project.js';
import { execute } from './shell.js';

const PAGE = 'docs/event-bridge.md';

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
    const printed = await execute(block.code, { cwd: project.dir, env: process.env, url });
    if (shown?.language === 'text') expect(printed).toBe(shown.code);
    else expectPrinted(shown?.code ?? '', printed);
  });
});
