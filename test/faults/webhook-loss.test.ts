import { describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { config, post } from '../cli/fixtures.js';
import { useCli } from '../support/cli.js';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { useWebhookReceiver } from '../support/webhook-receiver.js';

const dir = useTemporaryDirectory();
const start = useCli();
const receiver = useWebhookReceiver();

describe('a webhook whose worker is killed between sending it and noting that', () => {
  it('is sent again by another worker, with the same id and body, and then never again', async () => {
    await writeProject(dir.path, {
      'millrace.config.ts': config(uniqueTaskQueue(), `webhooks: { allow: ['127.0.0.0/8'] }`),
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT,
    });
    const env = { TEMPORAL_ADDRESS: sharedServerAddress() };
    const server = start(['server', '--port', '0'], { cwd: dir.path, env });
    const [, url = ''] = await server.says(/"url":"(http:[^"]+)"/);
    const first = start(['worker'], { cwd: dir.path, env });
    await first.says(/worker ready/);
    // The receiver has taken it; the worker does not get to know.
    receiver.answer('/told', { status: 200, silent: true });

    const hook = encodeURIComponent(receiver.url('/told'));
    const { body } = await post(`${url}/pipelines/word-report?webhook_url=${hook}`, { text: 'a' });
    const { execution_id: id } = body as { execution_id: string };
    await receiver.deliveries('/told', 1);
    await first.stop('SIGKILL');
    await start(['worker'], { cwd: dir.path, env }).says(/worker ready/);

    const [lost, again] = await receiver.deliveries('/told', 2, 90_000);
    expect(again?.headers['webhook-id']).toBe(`${id}.completed`);
    expect(lost?.headers['webhook-id']).toBe(`${id}.completed`);
    expect(again?.body).toBe(lost?.body);
    const connection = await Connection.connect({ address: sharedServerAddress() });
    try {
      const client = new Client({ connection });
      await client.workflow.getHandle(`outcome/pipeline/word-report/${id}`).result();
    } finally {
      await connection.close();
    }
    expect(await receiver.deliveries('/told', 2)).toHaveLength(2);
  });
});
