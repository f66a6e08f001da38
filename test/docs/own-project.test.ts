import { execFile } from 'node:child_process';
import {
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCli, type CliProcess } from '../support/cli.js';
import { post } from '../support/http-api.js';
import { INSTALL_LIMIT_MS, offerSqliteBelow, packInto } from '../support/packing.js';
import { writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { expectPrinted } from './output.js';
import { blocksOf, placeOf, projectOf, type Block } from './page.js';

const PAGE = 'docs/own-project.md';

const run = promisify(execFile);

/** A reader's own shell, but for installing from the cache where it has a package. */
const ENVIRONMENT = { npm_config_prefer_offline: 'true', npm_config_audit: 'false' };

describe(PAGE, () => {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-own-project-')));
  const dir = join(parent, 'my-project');
  const image = join(parent, 'image');
  const blocks = blocksOf(PAGE);
  const running: CliProcess[] = [];
  let url = '';
  let printed = '';

  beforeAll(async () => {
    mkdirSync(dir);
    await packInto(dir);
    await offerSqliteBelow(parent);
  }, INSTALL_LIMIT_MS);

  afterAll(async () => {
    for (const child of running) await child.stop('SIGTERM');
    rmSync(parent, { recursive: true, force: true });
  });

  const shell = async (commands: string, cwd = dir): Promise<string> => {
    const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
    const here = commands.replaceAll('http://127.0.0.1:8787', url).replaceAll('curl ', 'curl -s ');
    const { stdout } = await run('bash', ['-euc', here], {
      cwd,
      env: { ...env, ...ENVIRONMENT, NO_COLOR: '1' },
      timeout: INSTALL_LIMIT_MS,
    });
    return stdout;
  };

  /** A process as the installed package has it. */
  const start = (args: readonly string[], cwd: string, env = {}): CliProcess => {
    const main = join(cwd, 'node_modules/millrace/dist/cli/main.js');
    const child = startCli(args, { cwd, main, env });
    running.push(child);
    return child;
  };

  const expectText = (shown: string): void => {
    // npm tells what it runs.
    const lines = printed.split('\n').filter((line) => line !== '' && !line.startsWith('> '));
    expect(lines).toEqual(shown.trimEnd().split('\n'));
  };

  const follow = async ({ marks, language, code }: Block): Promise<void> => {
    if (marks['file'] !== undefined) await writeProject(dir, { [marks['file']]: code });
    else if (marks['run'] !== undefined) printed = await shell(code);
    else if (marks['start'] !== undefined) {
      expect(code.trim()).toBe('npm run dev');
      const dev = start(['dev', '--port', '0', '--ui-port', '0'], dir);
      [, url = ''] = await dev.says(/HTTP\s+(http:\S+)/);
      await dev.says(/Ctrl-C stops/);
    } else if (language === 'json') expectPrinted(code, printed);
    else expectText(code);
  };

  const others: readonly string[] = ['pack', 'processes', 'request'];
  const steps = blocks.filter(({ marks }) => !others.some((name) => marks[name] !== undefined));

  it.each(steps.map((block) => [placeOf(block), block] as const))(
    '%s does what it says',
    async (_place, block) => follow(block),
    INSTALL_LIMIT_MS,
  );

  it('packs to where the first commands install from', () => {
    const { code } = marked('pack');
    expect(code).toContain('npm pack --pack-destination ../my-project');
  });

  it('has two programs that see different mistakes', async () => {
    const wrong = join(parent, 'wrong');
    const kept = (path: string): boolean => !/\.millrace$|node_modules$/.test(path);
    cpSync(dir, wrong, { recursive: true, filter: kept });
    symlinkSync(join(dir, 'node_modules'), join(wrong, 'node_modules'));
    const files = projectOf(PAGE);
    const operation = files['operations/reading-time.ts'] ?? '';
    const pipeline = files['pipelines/article.yml'] ?? '';
    const said = (command: string): Promise<string> =>
      shell(command, wrong).then(
        () => 'nothing',
        (error: unknown) => (error as { stdout: string }).stdout,
      );

    await writeProject(wrong, {
      'operations/reading-time.ts': operation.replace('{ words, minutes', '{ words, hours'),
    });
    expect(await said('npx millrace check')).toBe('nothing');
    expect(await said('npx tsc')).toContain('operations/reading-time.ts');

    await writeProject(wrong, {
      'operations/reading-time.ts': operation,
      'pipelines/article.yml': pipeline.replace('wordsPerMinute: 180', 'wordsPerMinute: often'),
    });
    expect(await said('npx millrace check')).toContain('pipelines/article.yml:6');
    expect(await said('npx tsc')).toBe('nothing');
  }, 120_000);

  it('runs its program without npx, too', async () => {
    expect(await shell('node --import tsx app.ts')).toBe('{"words":3,"minutes":1}\n');
  }, 60_000);

  it(
    'builds an image that serves the pipeline to who has the key',
    async () => {
      const queue = uniqueTaskQueue('own-project');
      const config = (projectOf(PAGE, 'deployed')['millrace.config.ts'] ?? '').replace(
        'catchAllRoutes: true,',
        `catchAllRoutes: true, asyncQueue: '${queue}',`,
      );
      await writeProject(dir, { 'millrace.config.ts': config });
      await buildImage();
      const [workerLine = '', serverLine = ''] = marked('processes').code.trim().split('\n');
      const { args: worker } = processOf(workerLine);
      expect(['node_modules/.bin/millrace', ...worker]).toEqual(commandOfImage());
      const { args, env } = processOf(serverLine);
      const temporal = { TEMPORAL_ADDRESS: sharedServerAddress() };
      await start(worker, image, temporal).says(/worker ready/);
      // Nothing but loopback is there for tests.
      const served = args.map((arg) =>
        (arg === '8080' ? '0' : arg).replace('0.0.0.0', '127.0.0.1'),
      );
      const server = start(served, image, { ...env, ...temporal });
      const [, address = ''] = await server.says(/"url":"([^"]+)"/);
      const request = marked('request').code.replace('http://127.0.0.1:8080', address);
      expect(JSON.parse(await shell(request))).toMatchObject({ result: { words: 3, minutes: 1 } });
      expect((await post(`${address}/pipelines/article`, { text: 'a' })).status).toBe(401);
    },
    INSTALL_LIMIT_MS,
  );

  const marked = (mark: string): Block => {
    const block = blocks.find(({ marks }) => marks[mark] !== undefined);
    if (block === undefined) throw new Error(`${PAGE} has no block "${mark}"`);
    return block;
  };

  const instructions = (name: string): readonly string[] =>
    (projectOf(PAGE)['Dockerfile'] ?? '')
      .split('\n')
      .filter((line) => line.startsWith(`${name} `))
      .map((line) => line.slice(name.length + 1));

  /** Does what the page's Dockerfile says, in a folder. */
  async function buildImage(): Promise<void> {
    const ignored = (projectOf(PAGE)['.dockerignore'] ?? '').split('\n').filter(Boolean);
    const [install = '', check = ''] = instructions('RUN');
    const [first = '', everything] = instructions('COPY');
    mkdirSync(image);
    for (const file of first.split(' ').slice(0, -1)) cpSync(join(dir, file), join(image, file));
    expect(install).toBe('npm ci --omit=dev');
    // What is installed already need not be unpacked again: npm removes what is for development only.
    linkFiles(join(dir, 'node_modules'), join(image, 'node_modules'));
    // `npm ci` fails where a registry lacks the binaries of other platforms, which nobody here installs.
    await shell('npm install --omit=dev', image);
    const installed = readdirSync(join(image, 'node_modules'));
    expect([installed.includes('millrace'), installed.includes('typescript')]).toEqual([
      true,
      false,
    ]);
    expect(everything).toBe('. .');
    const kept = (path: string): boolean => !ignored.some((name) => path === join(dir, name));
    cpSync(dir, image, { recursive: true, filter: kept });
    await shell(check, image);
  }

  const commandOfImage = (): unknown => JSON.parse(instructions('CMD')[0] ?? '');
});

/** Makes a folder of the same files as another's: links, but for those that npm writes anew. */
function linkFiles(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkFiles(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (entry.name !== '.package-lock.json') linkSync(source, target);
  }
}

/** `A=1 node_modules/.bin/millrace worker --port 1` as variables and arguments. */
function processOf(line: string): {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const [variables = '', args = ''] = line.split('node_modules/.bin/millrace ');
  const pairs = variables.trim().split(' ');
  return {
    args: args.split(' '),
    env: Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string])),
  };
}
