import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCli, type CliProcess } from '../support/cli.js';
import { shareBundles } from '../support/project-directory.js';
import { until } from '../support/until.js';
import { expectPrinted } from './output.js';
import { blocksOf, placeOf, ROOT, type Block } from './page.js';
import { linkPackages, MILLRACE } from './running-project.js';
import { execute } from './shell.js';

const EXAMPLE = 'examples/order-fulfilment';
const PAGE = `${EXAMPLE}/README.md`;

/** Longest step: a killed worker is missed after ten seconds. */
const STEP_MS = 60_000;

describe(PAGE, () => {
  let dir = '';
  let dev: CliProcess | undefined;
  let url = '';
  let payments: ChildProcess | undefined;
  let paymentsUrl = '';
  let printed = '';

  beforeAll(async () => {
    if (!existsSync(MILLRACE)) throw new Error('Build it first: npm run build');
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-orders-')));
    cpSync(join(ROOT, EXAMPLE), join(dir, EXAMPLE), {
      recursive: true,
      filter: (path) => !path.includes('.millrace'),
    });
    linkPackages(dir);
    await shareBundles(join(dir, EXAMPLE));
  });

  afterAll(async () => {
    await dev?.stop('SIGTERM');
    payments?.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  async function start(what: string, command: string): Promise<void> {
    const [, latency = ''] = /LATENCY_MS=(\d+)/.exec(command) ?? [];
    if (what === 'payments') {
      payments = spawn(process.execPath, [join(EXAMPLE, 'service/payments.mjs')], {
        cwd: dir,
        env: { ...process.env, PORT: '0', LATENCY_MS: latency },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      // It was asked for a pipe.
      const lines = createInterface({ input: payments.stdout! });
      const [line] = (await once(lines, 'line')) as [string];
      paymentsUrl = line.replace(/^payments +/, '');
      return;
    }
    dev = startCli(['dev', '--dir', EXAMPLE, '--port', '0', '--ui-port', '0'], {
      cwd: dir,
      env: { PAYMENTS_URL: paymentsUrl },
    });
    [, url = ''] = await dev.says(/HTTP\s+(http:\S+)/);
    await dev.says(/Ctrl-C stops/);
  }

  /** Types commands into a terminal that keeps its variable. */
  async function type(code: string): Promise<string> {
    const here = code.replaceAll('http://127.0.0.1:8790', paymentsUrl);
    const commands = `if [ -f .id ]; then id=$(cat .id); fi\n${here}\nprintf %s "\${id-}" > .id`;
    const env = { ...process.env, NO_COLOR: '1' };
    return execute(commands, { cwd: dir, env, url });
  }

  async function charges(): Promise<number> {
    const response = await fetch(`${paymentsUrl}/charges`);
    return ((await response.json()) as { charges: number }).charges;
  }

  async function follow({ marks, language, code }: Block): Promise<void> {
    const { start: started, run } = marks;
    if (started !== undefined) await start(started, code);
    else if (run === 'kill') {
      // What is killed is in the middle of its rows, and has sent checkpoints of some.
      await until(async () => ((await charges()) > 400 ? true : undefined), 30_000);
      expect(await charges()).toBeLessThan(1_000);
      await type(code);
      await dev?.ended;
    } else if (run !== undefined) printed = await type(code);
    else if (language === 'json') expectPrinted(code, printed);
    else expect(lasting(printed)).toEqual(lasting(code));
  }

  const steps = blocksOf(PAGE).filter(({ marks }) => Object.keys(marks).length > 0);

  it.each(steps.map((block) => [placeOf(block), block] as const))(
    '%s does what it says',
    async (_place, block) => follow(block),
    STEP_MS,
  );

  it('goes on from checkpoints of the killed workers', () => {
    const cursors = [...(dev?.output() ?? '').matchAll(/"cursor":(\d+).*going on from/g)];
    expect(cursors.length).toBeGreaterThan(0);
    // One at its beginning would have lost what it has done.
    const inTheMiddle = cursors.filter(([, cursor]) => Number(cursor) % 200 !== 0);
    expect(inTheMiddle.length).toBeGreaterThan(0);
  });
});

/** Without what varies from run to run: durations, and how columns are filled. */
function lasting(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/[\d.]+ (?:ms|s)$/, 'DURATION')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '');
}
