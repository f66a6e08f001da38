import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { cli, useCli, type CliOptions } from '../support/cli.js';
import { certificateAuthority } from '../support/certificates.js';
import { guardTemporal, type GuardedTemporal } from '../support/guarded-temporal.js';
import { send } from '../support/http-api.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { config, post } from './fixtures.js';

jest.setTimeout(90_000);

const dir = useProjectDirectory();
const start = useCli();

let guarded: GuardedTemporal | undefined;
afterEach(() => guarded?.close());

/** A project whose Temporal server wants a client certificate and an API key. */
async function project(apiKey: string): Promise<CliOptions> {
  const authority = await certificateAuthority();
  const client = await authority.client('millrace');
  guarded = await guardTemporal(sharedServerAddress(), {
    certificate: await authority.server(['127.0.0.1']),
    clientAuthority: authority.cert,
    apiKey: 'sesame',
  });
  await writeProject(dir.path, {
    'millrace.config.ts': config(uniqueTaskQueue()),
    'operations/count-words.ts': COUNT_WORDS,
    'pipelines/word-report.yml': WORD_REPORT,
    'tls/ca.pem': authority.cert,
    'tls/client.pem': client.cert,
    'tls/client.key': client.key,
    'temporal.toml': `[profile.cloud]
address = "${guarded.address}"
namespace = "default"
api_key = "${apiKey}"
[profile.cloud.tls]
server_ca_cert_path = "${join(dir.path, 'tls/ca.pem')}"
client_cert_path = "${join(dir.path, 'tls/client.pem')}"
client_key_path = "${join(dir.path, 'tls/client.key')}"
`,
  });
  return {
    cwd: dir.path,
    env: { TEMPORAL_CONFIG_FILE: join(dir.path, 'temporal.toml'), TEMPORAL_PROFILE: 'cloud' },
  };
}

describe('millrace on a Temporal server behind TLS, with a client certificate and an API key', () => {
  it('runs a pipeline from the server, the worker and the command line', async () => {
    const options = await project('sesame');
    const server = start(['server', '--port', '0'], options);
    const worker = start(['worker', '--port', '0'], options);
    const [, url = ''] = await server.says(/"url":"([^"]+)".*"msg":"server ready"/);
    const [, probes = ''] = await worker.says(/"url":"([^"]+)".*"msg":"worker answers probes"/);
    await worker.says(/worker ready/);
    const answer = await post(`${url}/pipelines/word-report`, { text: 'one two' });
    expect(answer).toMatchObject({ status: 200, body: { result: { words: 2 } } });
    for (const base of [url, probes]) expect((await send(`${base}/ready`)).status).toBe(200);
    const run = await cli(['run', 'word-report', '--set', 'text=one'], options);
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('"words":1') });
    expect([...(guarded?.namespaces ?? [])]).toEqual(['default']);
    expect((await worker.stop('SIGTERM')).code).toBe(0);
    expect((await server.stop('SIGTERM')).code).toBe(0);
  });

  it('says that the key is refused, and by whom', async () => {
    const options = await project('simsim');
    for (const command of ['worker', 'server']) {
      const { code, stderr } = await cli([command, '--port', '0'], options);
      expect(code).toBe(3);
      expect(stderr).toContain(`The Temporal server at ${guarded?.address ?? ''} refuses`);
      expect(stderr).toContain('Check the API key');
      expect(stderr).not.toContain('simsim');
    }
  });
});
