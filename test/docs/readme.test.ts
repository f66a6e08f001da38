import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { shareBundles } from '../support/project-directory.js';
import { comparableEvents, expectPrinted } from './output.js';
import { blocksOf, placeOf, ROOT, type Block } from './page.js';
import { MILLRACE } from './running-project.js';
import { execute } from './shell.js';
import { lasting } from './terminal.js';

/** How long commands may take together with a server's start, a reload, or a lost worker's heartbeat. */
const WITHIN_MS = 60_000;

const run = promisify(execFile);

describe('README.md', () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-readme-'));
  const project = join(dir, 'examples/quickstart');
  const recordFile = join(project, '.millrace/dev.json');
  let dev: ChildProcess | undefined;
  let firstScreen: string | undefined;
  let screen = '';
  let printed = '';

  beforeAll(async () => {
    if (!existsSync(MILLRACE)) throw new Error('Build it first: npm run build');
    cpSync(join(ROOT, 'examples/quickstart'), project, {
      recursive: true,
      filter: (path) => !path.includes('.millrace'),
    });
    await shareBundles(project);
  });

  afterAll(async () => {
    if (dev?.exitCode === null && dev.signalCode === null) {
      dev.kill('SIGTERM');
      await once(dev, 'exit');
    }
    rmSync(dir, { recursive: true, force: true });
  });

  // As `npm start` does it, but on ports of its own.
  const start = async (): Promise<void> => {
    screen = '';
    dev = spawn(
      process.execPath,
      [MILLRACE, 'dev', '--dir', 'examples/quickstart', '--port', '0'],
      {
        cwd: dir,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: environment(),
      },
    );
    for (const stream of [dev.stdout, dev.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (screen += text));
    }
    await until(
      () => screen.includes('Ctrl-C stops'),
      () => screen,
    );
    firstScreen ??= screen;
  };

  const httpUrl = (): string => {
    const record = JSON.parse(readFileSync(recordFile, 'utf8')) as {
      addresses: { httpUrl: string };
    };
    return record.addresses.httpUrl;
  };

  const write = async (file: string, code: string): Promise<void> => {
    const before = screen.length;
    writeFileSync(join(project, file), code);
    await until(
      () => screen.slice(before).includes('reloaded'),
      () => screen.slice(before),
    );
  };

  const steps = blocksOf('README.md').filter(({ marks }) => Object.keys(marks).length > 0);

  it.each(steps.map((block) => [placeOf(block), block] as const))(
    '%s does what it says',
    async (_place, block) => {
      const { marks, code, language } = block;
      if (marks['start'] !== undefined) await start();
      else if (marks['run'] !== undefined) {
        // What is killed should be in the middle of something.
        if (code.includes('kill')) await delay(1_500);
        // One flow follows the other.
        if (code.includes('flows list')) await delay(2_000);
        printed = await execute(code, { cwd: dir, env: environment(), url: httpUrl() });
      } else if (marks['file'] !== undefined) await write(marks['file'], code);
      else if (language === 'json') expectPrinted(code, printed);
      else if (code.startsWith(': execution')) expectEvents(code, printed);
      else expect(lasting(printed)).toEqual(lasting(code));
    },
    WITHIN_MS,
  );

  it('goes on where the killed worker was', () => {
    const [, done = '0'] = /"done":(\d+),"msg":"going on from the checkpoint"/.exec(screen) ?? [];
    expect(Number(done)).toBeGreaterThan(5);
    expect(screen).toContain('1 run goes on');
  });

  it('shows the message that a misspelt operation gets', async () => {
    const file = 'pipelines/text-facts.yml';
    const text = readFileSync(join(project, file), 'utf8');
    writeFileSync(join(project, file), text.replace('longest-word', 'longest-wrod'));
    const check = run(process.execPath, [MILLRACE, 'check', '--dir', project], {
      env: environment(),
    });
    const { stdout } = await check.catch((error: unknown) => error as { stdout: string });
    const shown = blocksOf('README.md').find(({ code }) => code.includes('wrod')) as Block;
    expect(stdout.split('\n')).toContain(shown.code.trim());
  });

  it('shows the screen that the start shows', () => {
    const shown = blocksOf('README.md').find(({ code }) => code.includes('Ctrl-C stops'));
    expect(screenLines(firstScreen ?? '')).toEqual(screenLines(shown?.code ?? ''));
  });
});

/** Without what varies: ports, inputs, how the columns are filled. */
function screenLines(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const kept = line
      .replace(/127\.0\.0\.1:\d+/, 'ADDRESS')
      .replace(/-d '.*'/, '-d …')
      .replace(/\s+/g, ' ')
      .trim();
    return kept === '' ? [] : [kept];
  });
}

/** Without what would lead the commands to another Temporal server than the embedded one. */
function environment(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(
    ([name]) => !/^(?:TEMPORAL_|MILLRACE_PORT)/.test(name),
  );
  return { ...Object.fromEntries(others), NO_COLOR: '1' };
}

async function until(holds: () => boolean, seen: () => string): Promise<void> {
  const deadline = Date.now() + WITHIN_MS - 5_000;
  while (!holds()) {
    if (Date.now() > deadline)
      throw new Error(`it did not happen in time; what was seen:\n${seen()}`);
    await delay(50);
  }
}

/** The page shows how a stream begins; hints come when they come. */
function expectEvents(shown: string, printed: string): void {
  const expected = comparableEvents(shown);
  expect(comparableEvents(printed).slice(0, expected.length)).toEqual(expected);
  expect(printed).toMatch(
    /event: operation_progress\ndata: \{"operation":"score-sentences","stage":"score","attempt":1,"completed":\d+,"total":98\}/,
  );
  expect(printed).toContain('event: complete\n');
}
