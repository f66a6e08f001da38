import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { check as isFormatted } from 'prettier';
import { findTemplate, generate } from '../../generator/generate.js';
import { applyInstall, planInstall } from '../../generator/install/install.js';
import { templateOf } from '../../generator/kinds.js';
import { findPlugins } from '../../generator/plugin/search.js';
import { post } from '../cli/fixtures.js';
import { ROOT } from '../docs/page.js';
import { linkPackages } from '../docs/running-project.js';
import { cli, useCli } from '../support/cli.js';
import { INSTALL_LIMIT_MS, offerSqliteBelow, packInto } from '../support/packing.js';
import { writeProject } from '../support/project.js';
import { useTemporal } from '../support/temporal.js';
import { addRunner, runTests } from '../support/test-runners.js';

const run = promisify(execFile);

/** Longest run of all tests of a project. */
const TESTS_LIMIT_MS = 5 * 60_000;

/** Everything that `millrace generate` makes: kind, name, type of a step handler. */
const GENERATED = [
  ['pipeline', 'WordReport', undefined],
  ['operation', 'CountWords', undefined],
  ['workflow', 'ApproveOrder', undefined],
  ['data-flow', 'ImportOrders', undefined],
  ['record-pipeline', 'WelcomeUsers', undefined],
  ['module', 'WebAddress', undefined],
  ['step-handler', 'ChargeCard', 'base'],
  ['step-handler', 'FetchRate', 'api'],
  ['step-handler', 'RouteOrder', 'decision'],
  ['step-handler', 'SumNumbers', 'batchable'],
  ['task-template', 'FulfilOrder', undefined],
  ['subscriber', 'LogFailures', undefined],
] as const;

/** A project's own environment, without what the machine's user or this test has set. */
function environment(temporal: string): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
  return { ...env, TEMPORAL_ADDRESS: temporal, NO_COLOR: '1', npm_config_prefer_offline: 'true' };
}

/** Generates all, or all of a namespace, as the command line does. @returns the paths */
async function generateAll(dir: string, namespace?: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const [kind, name, type] of GENERATED) {
    const { template } = findTemplate(findPlugins(dir), templateOf(kind, type, false));
    // Tasks of all namespaces have one folder.
    const values = namespace === undefined ? { name } : { name: `${name}In`, namespace };
    const { changes, written } = await generate({ dir, template, values });
    expect(written).toBe(true);
    paths.push(...changes.map(({ path }) => path));
  }
  return paths;
}

async function unformatted(dir: string, paths: readonly string[]): Promise<readonly string[]> {
  const options = { printWidth: 100, singleQuote: true, trailingComma: 'all' } as const;
  const checks = paths.map(async (path) => {
    const file = join(dir, path);
    const isRight = await isFormatted(readFileSync(file, 'utf8'), { ...options, filepath: file });
    return isRight ? [] : [path];
  });
  return (await Promise.all(checks)).flat();
}

const temporal = useTemporal();

describe('a project that is installed from the package, with everything that can be generated', () => {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-generated-')));
  const dir = join(parent, 'newcomer');
  const start = useCli();
  const main = join(dir, 'node_modules/millrace/dist/cli/main.js');

  const shell = async (...command: readonly string[]): Promise<string> => {
    const [file = '', ...args] = command;
    const env = environment(temporal.address);
    const options = { cwd: dir, env, timeout: TESTS_LIMIT_MS, maxBuffer: 10_000_000 };
    const { stdout } = await run(file, args, options).catch((error: unknown) => {
      const { stdout: printed, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${command.join(' ')}:\n${printed}${stderr}`);
    });
    return stdout;
  };

  beforeAll(async () => {
    mkdirSync(dir);
    const tarball = await packInto(parent);
    await offerSqliteBelow(parent);
    await shell('npm', 'install', '--no-audit', '--no-fund', tarball);
  }, INSTALL_LIMIT_MS);

  afterAll(() => {
    rmSync(parent, { recursive: true, force: true });
  });

  it(
    'is set up without a question',
    async () => {
      const said = await shell('npx', '--no-install', 'millrace', 'install', '--yes');
      expect(said).toContain('create  millrace.config.ts');
      expect(said).toContain('the catalog is up to date');
      await shell('npm', 'install', '--no-audit', '--no-fund');
    },
    INSTALL_LIMIT_MS,
  );

  it.each(GENERATED)(
    'gets a %s called %s',
    async (kind, name, type) => {
      const args = ['generate', kind, name, ...(type === undefined ? [] : ['--type', type])];
      const { code, stdout, stderr } = await cli(args, { cwd: dir, main });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const paths = [...stdout.matchAll(/^ {2}create {2}(.+)$/gm)].map(([, path = '']) => path);
      expect(paths.filter((path) => path.startsWith('test/'))).toHaveLength(1);
      expect(await unformatted(dir, paths)).toEqual([]);
    },
    60_000,
  );

  it(
    'passes all of its tests',
    async () => {
      const said = await shell('npm', 'test');
      expect(said).toMatch(/^# fail 0$/m);
      expect(Number(/^# pass (\d+)$/m.exec(said)?.[1])).toBeGreaterThan(2 * GENERATED.length);
    },
    TESTS_LIMIT_MS,
  );

  it(
    'is right in all that it defines, and in its types, also with namespaces',
    async () => {
      const paths = await generateAll(dir, 'payments');
      expect(await unformatted(dir, paths)).toEqual([]);
      expect(await shell('npm', 'run', 'check')).toContain('nothing wrong.');
    },
    TESTS_LIMIT_MS,
  );

  it('is set up already, when it is set up again', async () => {
    const { code, stdout } = await cli(['install', '--yes'], { cwd: dir, main });
    expect(code).toBe(0);
    expect(stdout).toContain('Everything is in place.');
    expect(stdout).not.toMatch(/create|amend|differs/);
  }, 60_000);

  it('starts, and serves its example', async () => {
    const dev = start(['dev', '--port', '0', '--ui-port', '0'], { cwd: dir, main });
    const [, url = ''] = await dev.says(/HTTP\s+(http:\S+)/);
    expect(await post(`${url}/pipelines/article`, { text: 'one two three' })).toMatchObject({
      body: { result: { words: 3, minutes: 1 } },
    });
    expect((await dev.stop('SIGINT')).code).toBe(0);
  }, 90_000);
});

describe.each(['jest', 'vitest'] as const)(
  'a project with %s, with everything that can be generated',
  (runner) => {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), `millrace-generated-${runner}-`)));

    afterAll(() => {
      rmSync(dir, { recursive: true, force: true });
    });

    it(
      'passes all of its tests',
      async () => {
        await writeProject(dir, {
          'package.json': `{ "type": "module", "devDependencies": { "${runner}": "*" } }`,
        });
        linkPackages(dir);
        await addRunner(runner, dir);
        await applyInstall(await planInstall(dir));
        expect(await unformatted(dir, await generateAll(dir))).toEqual([]);
        const env = { TEMPORAL_ADDRESS: temporal.address };
        const passed = await runTests(runner, { dir, env, timeoutMs: TESTS_LIMIT_MS });
        expect(passed).toBeGreaterThan(2 * GENERATED.length);
      },
      TESTS_LIMIT_MS,
    );

    it('is right in its types', async () => {
      await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', dir]);
    }, 60_000);
  },
);
