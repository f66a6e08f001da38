import { beforeAll, expect, it } from '@jest/globals';
import type { ProjectFiles } from '../support/project.js';
import type { TestTemporal } from '../support/temporal.js';
import { expectPrinted } from './output.js';
import { blocksOf, placeOf, projectOf } from './page.js';
import { useRunningProjects, type RunningProject } from './running-project.js';
import { execute } from './shell.js';

/** The project of a page at work, with a worker and a server. Ready inside of hooks and tests. */
export interface RunningPage {
  readonly project: RunningProject;
  /** Where its server is. */
  readonly url: string;
}

/** What is different from a page whose project is all in it. */
export interface RunningPageOptions {
  readonly files?: ProjectFiles;
  /** For its commands, beside those that name the server. */
  readonly env?: () => Promise<NodeJS.ProcessEnv> | NodeJS.ProcessEnv;
}

/**
 * Starts the project of a page with a worker and a server, and has a test for each of its blocks that is run: it prints what the block
 * after it shows. Call it in a `describe`.
 */
export function useRunningPage(
  temporal: TestTemporal,
  page: string,
  { files = projectOf(page), env = () => ({}) }: RunningPageOptions = {},
): RunningPage {
  const start = useRunningProjects(temporal);
  const blocks = blocksOf(page);
  let running: RunningPage | undefined;
  const current = (): RunningPage => {
    if (running === undefined) throw new Error('the page runs inside of hooks and tests');
    return running;
  };

  beforeAll(async () => {
    const project = await start(files);
    await project.worker();
    running = { project, url: await project.server() };
  }, 60_000);

  it.each(
    blocks
      .filter(({ marks }) => marks['run'] !== undefined)
      .map((block) => [placeOf(block), block] as const),
  )(
    '%s prints what it shows',
    async (_place, block) => {
      const { project, url } = current();
      const shown = blocks[blocks.indexOf(block) + 1];
      expect(shown?.marks).toHaveProperty('output');
      const variables = {
        ...process.env,
        TEMPORAL_ADDRESS: temporal.address,
        TEMPORAL_NAMESPACE: project.client.options.namespace,
        ...(await env()),
      };
      const printed = await execute(block.code, { cwd: project.dir, env: variables, url });
      if (shown?.language === 'text') expect(printed).toBe(shown.code);
      else expectPrinted(shown?.code ?? '', printed);
    },
    60_000,
  );

  return {
    get project() {
      return current().project;
    },
    get url() {
      return current().url;
    },
  };
}
