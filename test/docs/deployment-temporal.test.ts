import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { configuredTemporal } from '../../engine/connection.js';
import { config } from '../cli/fixtures.js';
import { cli, useCli, type CliOptions } from '../support/cli.js';
import { certificateAuthority, type Authority } from '../support/certificates.js';
import { guardTemporal, type Guard, type GuardedTemporal } from '../support/guarded-temporal.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { command, installProgram } from './deployed.js';
import { blocksOf, projectOf, readPage } from './page.js';

jest.setTimeout(90_000);

const PAGE = 'docs/deployment.md';

const dir = useProjectDirectory();
const start = useCli();

function block(mark: string): string {
  const found = blocksOf(PAGE).find(({ marks }) => marks[mark] !== undefined);
  if (found === undefined) throw new Error(`${PAGE} has no block "${mark}"`);
  return found.code;
}

describe(`${PAGE}: settings for Temporal`, () => {
  it('are a temporal.toml whose profiles are understood', async () => {
    const file = join(dir.path, 'temporal.toml');
    const certificates = { pem: 'a certificate', key: 'a key' };
    await writeFile(join(dir.path, 'client.pem'), certificates.pem);
    await writeFile(join(dir.path, 'client.key'), certificates.key);
    const shown = projectOf(PAGE)['temporal.toml'] ?? '';
    await writeFile(file, shown.replaceAll('/etc/millrace', dir.path));
    const env = { TEMPORAL_CONFIG_FILE: file };
    expect(configuredTemporal({}, env)).toMatchObject({
      address: '127.0.0.1:7233',
      namespace: 'default',
    });
    const cloud = { namespace: 'my-namespace.a1b2c', uiUrl: 'https://cloud.temporal.io' };
    expect(configuredTemporal({}, { ...env, TEMPORAL_PROFILE: 'cloud' })).toMatchObject({
      ...cloud,
      address: 'eu-central-1.aws.api.temporal.io:7233',
      credentials: { apiKey: '…', tls: true },
    });
    const byCertificate = { ...env, TEMPORAL_PROFILE: 'cloud-certificates' };
    expect(configuredTemporal({}, byCertificate)).toMatchObject({
      ...cloud,
      address: 'my-namespace.a1b2c.tmprl.cloud:7233',
      credentials: {
        tls: {
          clientCertPair: {
            crt: Buffer.from(certificates.pem),
            key: Buffer.from(certificates.key),
          },
        },
      },
    });
  });

  it('are variables that have the effect that it tells', async () => {
    const file = join(dir.path, 'temporal.toml');
    await writeFile(file, '[profile.default]\n');
    const told = [...readPage(PAGE).matchAll(/`(TEMPORAL_[A-Z_]+)`/g)].map(([, name]) => name);
    expect(told).toEqual(
      expect.arrayContaining(['TEMPORAL_ADDRESS', 'TEMPORAL_API_KEY', 'TEMPORAL_TLS']),
    );
    const env = {
      TEMPORAL_ADDRESS: 'a:1',
      TEMPORAL_NAMESPACE: 'n',
      TEMPORAL_API_KEY: 'k',
      TEMPORAL_CONFIG_FILE: file,
    };
    expect(configuredTemporal({}, env)).toMatchObject({
      address: 'a:1',
      namespace: 'n',
      credentials: { apiKey: 'k' },
    });
    const { credentials } = configuredTemporal({}, { ...env, TEMPORAL_TLS_SERVER_NAME: 's' }) ?? {};
    expect(credentials).toMatchObject({ tls: { serverNameOverride: 's' } });
  });
});

describe(`${PAGE}: a Temporal server behind TLS`, () => {
  let authority: Authority;
  beforeAll(async () => {
    authority = await certificateAuthority();
  });

  let guarded: GuardedTemporal | undefined;
  afterEach(() => guarded?.close());

  const project = async (guard: Partial<Guard>): Promise<CliOptions & { address: string }> => {
    const client = await authority.client('millrace');
    const certificate = await authority.server(['127.0.0.1']);
    guarded = await guardTemporal(sharedServerAddress(), { certificate, ...guard });
    await writeProject(dir.path, {
      'millrace.config.ts': config(uniqueTaskQueue()),
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT,
      'ca.pem': authority.cert,
      'client.pem': client.cert,
      'client.key': client.key,
      'temporal-key': 'sesame',
      'other.pem': (await certificateAuthority()).cert,
    });
    await installProgram(dir.path);
    return { cwd: dir.path, address: guarded.address };
  };

  it('is reached by a worker with the commands for Temporal Cloud, where its certificate is a public one', async () => {
    const { address, ...options } = await project({ apiKey: 'sesame' });
    const code = block('cloud')
      .replace('eu-central-1.aws.api.temporal.io:7233', address)
      .replace('my-namespace.a1b2c', 'default')
      .replace('/run/secrets', dir.path);
    const env = { TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(dir.path, 'ca.pem') };
    const worker = start(...command(code, { ...options, env }));
    await worker.says(/worker ready/);
    expect([...(guarded?.namespaces ?? [])]).toEqual(['default']);
    expect((await worker.stop('SIGTERM')).code).toBe(0);
  });

  it('is reached by a server with the commands for one of your own', async () => {
    const { address, ...options } = await project({ clientAuthority: authority.cert });
    const code = block('own-tls')
      .replace('temporal.internal:7233', address)
      .replaceAll('/etc/millrace', dir.path)
      .replace('millrace server', 'millrace server --port 0');
    const server = start(...command(code, options));
    await server.says(/server ready/);
    expect((await server.stop('SIGTERM')).code).toBe(0);
  });

  it('says what the table of mistakes shows', async () => {
    const { address, ...options } = await project({
      apiKey: 'sesame',
      certificate: await authority.server(['temporal.internal']),
    });
    const told = [
      ...readPage(PAGE).matchAll(
        /^\| `(No Temporal server answers|refuses the credentials)`(?:, `([^`]+)`)?/gm,
      ),
    ].map(([, message = '', reason = '']) => [message, reason] as const);
    const said = async (name: string, env: Record<string, string>): Promise<string> => {
      const all = { TEMPORAL_ADDRESS: address, TEMPORAL_API_KEY: 'sesame', ...env };
      return (await cli([name], { ...options, env: all })).stderr;
    };
    const [ca, other] = ['ca.pem', 'other.pem'].map((file) => ({
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(dir.path, file),
    }));
    const named = { ...ca, TEMPORAL_TLS_SERVER_NAME: 'temporal.internal' };
    const mistakes = await Promise.all([
      said('worker', { ...other }),
      said('worker', { ...ca }),
      said('server', { ...ca }),
      said('worker', { ...named, TEMPORAL_API_KEY: 'simsim' }),
    ]);
    expect(told).toHaveLength(mistakes.length);
    for (const [at, [message, reason]] of told.entries()) {
      expect(mistakes[at]).toContain(message);
      expect(mistakes[at]).toContain(reason);
    }
  });
});
