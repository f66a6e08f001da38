import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { configuredTemporal, connectClient } from '../../engine/connection.js';
import { connectWorkerClient } from '../../engine/native-connection.js';
import { certificateAuthority, type Authority, type Certificate } from '../support/certificates.js';
import { guardTemporal, type Guard, type GuardedTemporal } from '../support/guarded-temporal.js';
import { sharedServerAddress, useTemporal } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

// Installs Temporal's runtime, which native connections need.
useTemporal();
const dir = useTemporaryDirectory();

const guarded: GuardedTemporal[] = [];
afterEach(async () => {
  await Promise.all(guarded.splice(0).map((one) => one.close()));
});

async function guard(options: Guard): Promise<GuardedTemporal> {
  const temporal = await guardTemporal(sharedServerAddress(), options);
  guarded.push(temporal);
  return temporal;
}

/** Both kinds of connection: that of servers and the command line, and that of workers. */
const CONNECTIONS = { client: connectClient, worker: connectWorkerClient } as const;

/** What becomes of each kind of connection with these variables: `ok`, or the name of the error. */
async function outcomes(
  env: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const settings = configuredTemporal({}, { TEMPORAL_CONFIG_FILE: '/nowhere', ...env });
  if (settings === undefined) throw new Error('no server is configured');
  const each = Object.entries(CONNECTIONS).map(async ([kind, connect]) => {
    try {
      const { client, close } = await connect(settings);
      // A call with a namespace, on the connection as it is.
      await client.workflow.count();
      await close();
      return [kind, 'ok'] as const;
    } catch (error) {
      return [kind, error instanceof Error ? error.name : String(error)] as const;
    }
  });
  return Object.fromEntries(await Promise.all(each));
}

const OK = { client: 'ok', worker: 'ok' };
const UNREACHABLE = { client: 'TemporalUnreachable', worker: 'TemporalUnreachable' };

describe('a Temporal server behind TLS', () => {
  let authority: Authority;
  let certificate: Certificate;
  let files: Record<'ca' | 'cert' | 'key' | 'other', string>;
  let client: Certificate;
  beforeAll(async () => {
    authority = await certificateAuthority();
    certificate = await authority.server(['temporal.internal', '127.0.0.1']);
    client = await authority.client('a worker');
  });

  const write = async (name: string, text: string): Promise<string> => {
    const file = join(dir.path, name);
    await writeFile(file, text);
    return file;
  };
  const written = async (): Promise<typeof files> => ({
    ca: await write('ca.pem', authority.cert),
    cert: await write('client.pem', client.cert),
    key: await write('client.key', client.key),
    other: await write('other.pem', (await certificateAuthority()).cert),
  });

  it('is reached with the authority that has signed its certificate, and with no other', async () => {
    files = await written();
    const { address } = await guard({ certificate });
    const ca = 'TEMPORAL_TLS_SERVER_CA_CERT_PATH';
    expect(await outcomes({ TEMPORAL_ADDRESS: address, [ca]: files.ca })).toEqual(OK);
    const data = { TEMPORAL_TLS_SERVER_CA_CERT_DATA: authority.cert };
    expect(await outcomes({ TEMPORAL_ADDRESS: address, ...data })).toEqual(OK);
    const wrong = [{}, { TEMPORAL_TLS: 'true' }, { [ca]: files.other }];
    const refused = wrong.map((one) => outcomes({ TEMPORAL_ADDRESS: address, ...one }));
    expect(await Promise.all(refused)).toEqual(wrong.map(() => UNREACHABLE));
  }, 60_000);

  it('is reached under another name than its address, where that is said', async () => {
    files = await written();
    const { address } = await guard({ certificate: await authority.server(['temporal.internal']) });
    const env = { TEMPORAL_ADDRESS: address, TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.ca };
    expect(await outcomes(env)).toEqual(UNREACHABLE);
    const name = { TEMPORAL_TLS_SERVER_NAME: 'temporal.internal' };
    expect(await outcomes({ ...env, ...name })).toEqual(OK);
  }, 60_000);

  it('that wants certificates of clients is reached with one, by files or by their text', async () => {
    files = await written();
    const { address } = await guard({ certificate, clientAuthority: authority.cert });
    const env = { TEMPORAL_ADDRESS: address, TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.ca };
    expect(await outcomes(env)).toEqual(UNREACHABLE);
    const paths = {
      TEMPORAL_TLS_CLIENT_CERT_PATH: files.cert,
      TEMPORAL_TLS_CLIENT_KEY_PATH: files.key,
    };
    expect(await outcomes({ ...env, ...paths })).toEqual(OK);
    const data = {
      TEMPORAL_TLS_CLIENT_CERT_DATA: client.cert,
      TEMPORAL_TLS_CLIENT_KEY_DATA: client.key,
    };
    expect(await outcomes({ ...env, ...data })).toEqual(OK);
  }, 60_000);

  it('that wants an API key gets it with each call, and the namespace', async () => {
    files = await written();
    const temporal = await guard({ certificate, apiKey: 'sesame' });
    const env = {
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.ca,
      TEMPORAL_NAMESPACE: 'default',
    };
    expect(await outcomes({ ...env, TEMPORAL_API_KEY: 'sesame' })).toEqual(OK);
    expect([...temporal.namespaces]).toEqual(['default']);
    const refused = { client: 'TemporalRefused', worker: 'TemporalRefused' };
    expect(await outcomes({ ...env, TEMPORAL_API_KEY: 'simsim' })).toEqual(refused);
    expect(await outcomes(env)).toEqual(refused);
  }, 60_000);

  it('is found by a profile of temporal.toml with all of this', async () => {
    files = await written();
    const { address } = await guard({
      certificate,
      clientAuthority: authority.cert,
      apiKey: 'sesame',
    });
    const toml = await write(
      'temporal.toml',
      `[profile.production]
address = "${address}"
namespace = "default"
api_key = "sesame"
[profile.production.tls]
server_ca_cert_path = "${files.ca}"
client_cert_path = "${files.cert}"
client_key_path = "${files.key}"
`,
    );
    const env = { TEMPORAL_CONFIG_FILE: toml, TEMPORAL_PROFILE: 'production' };
    expect(await outcomes(env)).toEqual(OK);
  }, 60_000);
});
