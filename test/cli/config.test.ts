import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { cli, type CliResult } from '../support/cli.js';
import { writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');

/** The TOML files that the documentation shows, by the names that their first lines give. */
const FILES = Object.fromEntries(
  [...page.matchAll(/^```toml\n# (\S+)\n([\s\S]*?)^```$/gm)].map(([block, file = '']) => [
    file,
    block.replace(/^```(toml\n)?/gm, ''),
  ]),
);

/** What it shows of `millrace config show`. */
const SHOWN =
  /^\$ MILLRACE_ENV=production millrace config show\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';

describe('millrace config', () => {
  const folder = useTemporaryDirectory();
  const env = {
    MILLRACE_ENV: 'production',
    MILLRACE_PORT: '8080',
    WEBHOOK_SECRET: 'whsec_c2VjcmV0',
    DATABASE_URL: 'postgres://shop:hunter2@db.example.com/shop',
  };
  const config = (args: readonly string[], more = {}): Promise<CliResult> =>
    cli(['config', ...args], { cwd: folder.path, env: { ...env, ...more } });
  beforeEach(() => writeProject(folder.path, FILES));

  it('shows what holds and where it comes from, as the documentation does, and no secret', async () => {
    const { code, stdout, stderr } = await config(['show']);
    expect([code, stderr]).toEqual([0, '']);
    const wanted = SHOWN.split('\n').filter((line) => /^\w/.test(line));
    expect(wanted.length).toBeGreaterThan(4);
    const words = (text: string): readonly string[] =>
      text.split('\n').map((line) => line.trim().replace(/ {2,}/g, '  '));
    expect(words(stdout)).toEqual(expect.arrayContaining([...words(wanted.join('\n'))]));
    expect(words(stdout)).toContain(
      'catalog.url  postgres://shop:***@db.example.com/shop  DATABASE_URL',
    );
    expect(words(stdout)).toContain(
      'webhooks.secret  ${WEBHOOK_SECRET}  config/millrace/base/server.toml:9',
    );
    expect(words(stdout)).toContain('dataFlows.routes  true  as catchAllRoutes');
    expect(stdout).not.toMatch(/hunter2|whsec/);
    const odd = { DATABASE_URL: 'postgres://shop:p@ss/w@db/shop?sslpassword=hunter2&x=1' };
    expect(words((await config(['show'], odd)).stdout)).toContain(
      'catalog.url  postgres://shop:***@db/shop?sslpassword=***&x=1  DATABASE_URL',
    );
    const worker = { MILLRACE_WORKER_ENABLED: 'true', MILLRACE_WORKER_PORT: '9090' };
    expect(words((await config(['show'], worker)).stdout)).toEqual(
      expect.arrayContaining([
        'worker.enabled  true  MILLRACE_WORKER_ENABLED',
        'worker.http.port  9090  MILLRACE_WORKER_PORT',
      ]),
    );
    expect(stdout).not.toContain('apiAuthentication');
    expect((await config(['show', '--all'])).stdout).toMatch(/^apiAuthentication +– +not set$/m);
  });

  it('shows no password of any address', async () => {
    await writeProject(folder.path, {
      'config/millrace/base/common.toml':
        '[approvals]\nsecret = "${WEBHOOK_SECRET}"\nurl = "https://ops:hunter2@jobs.example.com"\n',
    });
    const { code, stdout } = await config(['show']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^approvals\.url +https:\/\/ops:\*\*\*@jobs\.example\.com /m);
    expect(stdout).not.toContain('hunter2');
  });

  it('shows the same to programs, in another environment', async () => {
    const { stdout } = await config(['show', '--json'], { MILLRACE_ENV: '', NODE_ENV: 'test' });
    const options = JSON.parse(stdout) as readonly { readonly option: string }[];
    expect(options.find(({ option }) => option === 'worker.shutdownGraceTime')).toEqual({
      option: 'worker.shutdownGraceTime',
      value: '30s',
      source: 'default',
    });
  });

  it('checks it, and tells what is wrong with file and line', async () => {
    const { code, stdout } = await config(['check']);
    expect([code, stdout]).toEqual([
      0,
      '  config/millrace/base/server.toml\n  config/millrace/environments/production/worker.toml\n' +
        '2 files, environment production, nothing wrong.\n',
    ]);
    await writeProject(folder.path, {
      'config/millrace/base/common.toml': '[server]\nprt = 1\n',
      'millrace.config.ts': 'export default { catchAllRoute: true };\n',
    });
    const wrong = await config(['check']);
    expect(wrong).toMatchObject({
      code: 1,
      stdout:
        'config/millrace/base/common.toml:2:1  config: server: unknown option "prt". Did you mean "port"?\n' +
        'millrace.config.ts  config: unknown option "catchAllRoute". Did you mean "catchAllRoutes"?\n' +
        '2 errors\n',
    });
    expect(await config(['show'])).toMatchObject({ code: 1, stdout: wrong.stdout });
    expect(await config(['check', '--dir', 'nowhere'])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^There is no folder .*nowhere\. Name the folder of a project/),
    });
  });
});
