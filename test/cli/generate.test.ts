import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ACME, below } from '../generator/plugins.js';
import { cli, type CliResult } from '../support/cli.js';
import { writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const temporary = useTemporaryDirectory();

const millrace = (...args: readonly string[]): Promise<CliResult> =>
  cli(args, { cwd: temporary.path });

describe('millrace install', () => {
  it('writes nothing where nobody can be asked, and nothing in a dry run', async () => {
    const asked = await millrace('install');
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain('add --yes, or --dry-run');
    const dry = await millrace('install', '--dry-run');
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toContain('  create  package.json\n');
    expect(readdirSync(temporary.path)).toEqual([]);
  });

  it('makes the folder that it is told of, and leaves the catalog alone where it is told to', async () => {
    const { code, stdout } = await millrace('install', '--yes', '--no-catalog', '--dir', 'a/shop');
    expect(code).toBe(0);
    expect(stdout).toContain('  npm install\n');
    expect(stdout).not.toContain('catalog is');
    expect(existsSync(join(temporary.path, 'a/shop/millrace.config.ts'))).toBe(true);
    expect(existsSync(join(temporary.path, 'a/shop/.millrace/catalog.db'))).toBe(false);
  });

  it('says that a file is where the folder should be', async () => {
    await writeProject(temporary.path, { shop: '' });
    const { code, stderr } = await millrace('install', '--yes', '--dir', 'shop');
    expect(code).toBe(2);
    expect(stderr).toContain('shop is a file, and no folder');
  });

  it('says that the database is away, and has written the files', async () => {
    const { code, stdout } = await cli(['install', '--yes'], {
      cwd: temporary.path,
      env: { DATABASE_URL: 'postgres://127.0.0.1:1/none' },
    });
    expect(code).toBe(1);
    expect(stdout).toContain('the catalog is not ready');
    expect(existsSync(join(temporary.path, 'millrace.config.ts'))).toBe(true);
  });
});

describe('millrace generate', () => {
  it('shows what differs, writes nothing, and exits with 1', async () => {
    await writeProject(temporary.path, { 'operations/count-words.ts': 'mine\n' });
    const { code, stdout } = await millrace('generate', 'operation', 'CountWords');
    expect(code).toBe(1);
    expect(stdout).toContain('  differs  operations/count-words.ts\n');
    expect(stdout).toMatch(/^ {6}-mine$/m);
    expect(stdout).toContain('--force writes over it');
    expect(readdirSync(temporary.path)).toEqual(['operations']);
  });

  it('refuses what there is not, with what was probably meant', async () => {
    const { code, stderr } = await millrace('generate', 'operaton', 'CountWords');
    expect(code).toBe(2);
    expect(stderr).toContain('unknown kind "operaton". Did you mean "operation"?');
    const { code: other, stderr: said } = await millrace(
      'generate',
      'operation',
      'a',
      '--param',
      'b',
    );
    expect(other).toBe(2);
    expect(said).toContain('Write key=value.');
  });

  it('makes what a plugin offers, though another one is wrong', async () => {
    await writeProject(temporary.path, {
      ...below('node_modules/acme', ACME),
      ...below('node_modules/wrong', { 'millrace-plugin.toml': 'name = \n' }),
    });
    const args = ['generate', 'report', 'Monthly', '--plugin', 'acme', '--param', 'format=pdf'];
    const { code, stdout } = await millrace(...args);
    expect(code).toBe(0);
    expect(stdout).toBe('  create  reports/monthly/monthly.pdf\n');
  });
});

describe('millrace template and plugin', () => {
  it('tell what there is, also as JSON, and what is wrong', async () => {
    await writeProject(temporary.path, {
      ...below('node_modules/acme', ACME),
      ...below('node_modules/wrong', { 'millrace-plugin.toml': 'name = \n' }),
    });
    const listed = await millrace('plugin', 'list', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { name: 'millrace' },
      { name: 'acme', dir: 'node_modules/acme', templates: [{ name: 'report' }] },
    ]);
    expect(listed.stderr).toContain('node_modules/wrong/millrace-plugin.toml:2:1');

    const validated = await millrace('plugin', 'validate');
    expect(validated.code).toBe(1);
    expect(validated.stdout).toContain('✓ acme 1.2.0  1 template');

    const informed = await millrace('plugin', 'info', 'acme');
    expect(informed.stdout).toContain('format (unless given: csv)  How it is written');

    const templates = await millrace('template', 'list', '--plugin', 'acme', '--json');
    expect(JSON.parse(templates.stdout)).toMatchObject([{ plugin: 'acme', name: 'report' }]);

    const made = await millrace('template', 'generate', 'report', '-p', 'name=Monthly');
    expect(made).toMatchObject({ code: 0, stdout: '  create  reports/monthly/monthly.csv\n' });
    const missing = await millrace('template', 'generate', 'report');
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('the parameter "name" is required');
  });
});
