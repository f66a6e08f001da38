import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../engine/project/load-config.js';
import { loadProject } from '../../../engine/project/load-project.js';
import { messagesOf, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();

const CONFIG = `import { defineConfig } from 'millrace';
export default defineConfig({ server: { port: 1 }, worker: { enabled: true, http: { port: 2 } } });
`;

describe('variables of the environment that set an option', () => {
  it('win over what is written, and not over what the caller of the engine says', async () => {
    await writeProject(temporary.path, { 'millrace.config.ts': CONFIG });
    const env = {
      MILLRACE_PORT: '8081',
      MILLRACE_WORKER_ENABLED: 'false',
      MILLRACE_WORKER_PORT: '9091',
      MILLRACE_EVENT_BRIDGE_ENABLED: 'false',
    };
    const { config } = await loadConfig(temporary.path, env);
    expect(config?.server.port).toBe(8081);
    expect(config?.events.enabled).toBe(false);
    expect(config?.worker).toMatchObject({
      enabled: false,
      http: { host: '127.0.0.1', port: 9091 },
    });
    const over = { env, config: { worker: { enabled: true } } };
    const { project } = await loadProject(temporary.path, over);
    expect(project?.config.worker).toMatchObject({ enabled: true, http: { port: 9091 } });
  });

  it('are left aside where they are empty', async () => {
    await writeProject(temporary.path, { 'millrace.config.ts': CONFIG });
    const env = { MILLRACE_PORT: '', MILLRACE_WORKER_ENABLED: '', MILLRACE_WORKER_PORT: '' };
    const { config } = await loadConfig(temporary.path, env);
    expect(config?.server.port).toBe(1);
    expect(config?.worker).toMatchObject({ enabled: true, http: { port: 2 } });
  });

  it('are refused where they are of the wrong kind, all at once', async () => {
    const env = {
      MILLRACE_PORT: '70000',
      MILLRACE_WORKER_ENABLED: 'yes',
      MILLRACE_WORKER_PORT: '9o90',
    };
    expect(messagesOf(await loadConfig(temporary.path, env))).toEqual([
      'config: server.port: MILLRACE_PORT is "70000". Write a port, 0 to 65535, or unset it.',
      'config: worker.enabled: MILLRACE_WORKER_ENABLED is "yes". Write true or false, or unset it.',
      'config: worker.http.port: MILLRACE_WORKER_PORT is "9o90". Write a port, 0 to 65535, or unset it.',
    ]);
  });
});

describe('a worker', () => {
  it('is not wanted unless somebody says so', async () => {
    const { config } = await loadConfig(temporary.path, {});
    expect(config?.worker).toMatchObject({ enabled: false, http: { host: '127.0.0.1' } });
    expect(config?.worker.http).not.toHaveProperty('port');
  });
});
