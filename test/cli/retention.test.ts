import { describe, expect, it, jest } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { findDev } from '../../engine/dev-server/dev-record.js';
import { useCli } from '../support/cli.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { config } from './fixtures.js';

jest.setTimeout(90_000);

const dir = useProjectDirectory();
const start = useCli();

/** How long the server of the project's `millrace dev` keeps runs, in days. */
async function keptDays(): Promise<number> {
  const dev = await findDev(dir.path);
  if (dev === undefined) throw new Error('no dev server is recorded');
  const connection = await Connection.connect({ address: dev.temporal.address });
  try {
    const { namespace } = dev.temporal;
    const { workflowService } = new Client({ connection, namespace });
    const described = await workflowService.describeNamespace({ namespace });
    return Number(described.config?.workflowExecutionRetentionTtl?.seconds) / 86_400;
  } finally {
    await connection.close();
  }
}

describe('executionRetention', () => {
  it.each([
    ['3 days', 3],
    ['90 days', 90],
  ])('of %s is what the server of millrace dev keeps runs for', async (written, days) => {
    await writeProject(dir.path, {
      'millrace.config.ts': config('millrace', `executionRetention: '${written}'`),
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT,
    });
    const dev = start(['dev', '--port', '0', '--no-ui'], { cwd: dir.path });
    await dev.says(/Watching/);
    expect(await keptDays()).toBe(days);
    await dev.stop();
  });
});
