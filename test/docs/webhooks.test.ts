import { beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { post } from '../support/http-api.js';
import { COUNT_WORDS, WORD_REPORT } from '../support/project.js';
import { useTemporal } from '../support/temporal.js';
import { comparable } from './output.js';
import { blocksOf, projectOf } from './page.js';
import { useRunningProjects, type RunningProject } from './running-project.js';

const PAGE = 'docs/webhooks.md';
const SECRET = { WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };

const temporal = useTemporal();

describe(PAGE, () => {
  const start = useRunningProjects(temporal);
  let project: RunningProject;
  let receiver = '';
  let url = '';

  beforeAll(async () => {
    project = await start({
      ...projectOf(PAGE),
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT,
    });
    await project.worker(SECRET);
    url = await project.server(SECRET);
    receiver = await project.app('receiver.ts', SECRET);
  }, 60_000);

  const arrived = async (id: string): Promise<unknown> => {
    for (let look = 0; look < 200; look += 1) {
      const line = project
        .printed()
        .split('\n')
        .find((candidate) => candidate.startsWith(`${id}.`));
      if (line !== undefined) return JSON.parse(line.slice(line.indexOf(' ') + 1)) as unknown;
      await delay(50);
    }
    throw new Error(`nothing came for ${id}:\n${project.printed()}`);
  };

  it('sends what it shows, to a receiver that verifies it', async () => {
    const { body } = await post(`${url}/pipelines/word-report/async`, {
      text: 'one two',
      webhook_url: `${receiver}/?a=1`,
    });
    const shown = blocksOf(PAGE).find(({ language }) => language === 'json');
    expect(comparable(await arrived(String(body['execution_id'])))).toEqual(
      comparable(JSON.parse(shown?.code ?? '')),
    );
  });

  it('takes the address in each of the three forms that it shows', async () => {
    const forms = blocksOf(PAGE).find(({ language }) => language === 'sh');
    const commands = (forms?.code ?? '').split('# ').slice(1);
    expect(commands).toHaveLength(3);
    for (const command of commands) {
      const [, address = '', more = '', header, body = '{}'] =
        /'?(http[^\s'?]+)(\?[^\s']+)?'?(?:[\s\\]+-H '(Webhook-URL: [^']+)')?[\s\S]*-d '([^']+)'/.exec(
          command,
        ) ?? [];
      const own = (text: string): string =>
        text
          .replace('http://127.0.0.1:8787', url)
          .replace('https://example.com', receiver)
          .replace('https%3A%2F%2Fexample.com', encodeURIComponent(receiver));
      const headers =
        header === undefined ? {} : { 'webhook-url': own(header.slice('Webhook-URL: '.length)) };
      const answer = await post(own(`${address}${more}`), JSON.parse(own(body)), headers);
      expect([answer.status, answer.body['webhook_url']]).toEqual([
        202,
        `${receiver}/done?token=7`,
      ]);
      expect(await arrived(String(answer.body['execution_id']))).toMatchObject({
        result: { words: 2 },
      });
    }
  });

  it('has a receiver that refuses what nobody has signed', async () => {
    const headers = {
      'webhook-id': 'forged',
      'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
      'webhook-signature': 'v1,bm90',
    };
    const { status } = await fetch(receiver, { method: 'POST', headers, body: '{}' });
    expect(status).toBe(401);
    expect(project.printed()).not.toContain('forged');
  });
});
