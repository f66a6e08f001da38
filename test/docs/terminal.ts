import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startCli, type CliProcess } from '../support/cli.js';
import { ROOT } from './page.js';
import { MILLRACE } from './running-project.js';

const run = promisify(execFile);

/** Longest time of one block of commands. */
const LIMIT_MS = 90_000;

/** A reader's terminal in the folder of a project: what is exported there stays, and `dev` runs in another one. */
export class Terminal {
  readonly #dir: string;
  readonly #state: string;
  readonly #replaced: Readonly<Record<string, string>>;
  readonly #home: string;
  #dev: CliProcess | undefined;
  #url = '';

  /**
   * @param replaced - texts of the page that are others here, such as the address of a database
   * @param home - the reader's own folder; that of the project unless given
   */
  constructor(dir: string, replaced: Readonly<Record<string, string>> = {}, home = dir) {
    this.#dir = dir;
    this.#home = home;
    this.#state = join(dir, '.exported');
    this.#replaced = replaced;
    writeFileSync(this.#state, '');
    addSqlite(join(dir, '.bin'));
  }

  /** What `dev` has printed since it was started. */
  get screen(): string {
    return this.#dev?.output() ?? '';
  }

  /** Starts `npx millrace dev`, in the place of one that runs, with what was exported. */
  async startDev(): Promise<void> {
    await this.stopDev();
    const env = await this.#exported();
    this.#dev = startCli(['dev', '--port', '0', '--ui-port', '0'], { cwd: this.#dir, env });
    [, this.#url = ''] = await this.#dev.says(/HTTP\s+(http:\S+)/);
    await this.#dev.says(/Ctrl-C stops/);
  }

  async stopDev(): Promise<void> {
    await this.#dev?.stop('SIGINT');
    this.#dev = undefined;
  }

  /** Writes a file as an editor does. `dev` has taken it over when this resolves. */
  async save(file: string, text: string): Promise<void> {
    const before = this.screen.length;
    mkdirSync(join(this.#dir, file, '..'), { recursive: true });
    writeFileSync(join(this.#dir, file), text);
    const dev = this.#dev;
    // One that is stopped, or was killed, reads it when it is started. So does everybody else what is no definition.
    if (dev === undefined || !/^(?:flows|modules)\/|^config\.yml$/.test(file)) return;
    for (let look = 0; !/reloaded/.test(dev.output().slice(before)); look += 1) {
      if (look > 600) throw new Error(`${file} was not taken over:\n${dev.output()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Changes a file as a `diff` block says it. */
  async change(file: string, diff: string): Promise<void> {
    const lines = diff.trimEnd().split('\n');
    const without = (mark: string): string =>
      lines
        .filter((line) => !line.startsWith(mark))
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    const before = readFileSync(join(this.#dir, file), 'utf8');
    const parts = before.split(without('+'));
    if (parts.length !== 2) throw new Error(`${file} has not once what is changed:\n${diff}`);
    await this.save(file, parts.join(without('-')));
  }

  /** Types commands. @returns what they print */
  async type(commands: string): Promise<string> {
    const here = this.#here(commands);
    const { stdout } = await run(
      'bash',
      ['-euc', `. "$STATE"\n${here}\nexport -p | grep -E 'DATABASE_URL|_TOKEN' > "$STATE" || true`],
      { cwd: this.#dir, env: this.#environment(), timeout: LIMIT_MS },
    );
    return stdout;
  }

  /** Types one command that fails. @returns what it tells on both streams but for how far it is from time to time */
  async fail(command: string): Promise<string> {
    const failed = await run('bash', ['--norc', '-euc', this.#here(command)], {
      cwd: this.#dir,
      env: this.#environment(),
      timeout: LIMIT_MS,
    }).catch((error: unknown) => error);
    const { code, stdout, stderr } = failed as { code?: number; stdout: string; stderr: string };
    if (code !== 1) throw new Error(`it should have failed with 1:\n${stdout}${stderr}`);
    return `${stdout}${stderr.replaceAll(/^.* left, .*\n/gm, '')}`;
  }

  #here(commands: string): string {
    const texts = {
      'http://127.0.0.1:8787': this.#url,
      'npx millrace': `"${process.execPath}" "${MILLRACE}"`,
      ...this.#replaced,
    };
    return Object.entries(texts).reduce(
      (text, [shown, real]) => text.replaceAll(shown, real),
      commands.replaceAll(/\bcurl (?=-X)/g, 'curl -s '),
    );
  }

  async #exported(): Promise<Readonly<Record<string, string>>> {
    const script = '. "$STATE"; printf "%s\\n%s" "${DATABASE_URL-}" "${HEARTBEAT_TOKEN-}"';
    const { stdout } = await run('bash', ['-euc', script], { env: this.#environment() });
    const [database = '', token = ''] = stdout.split('\n');
    return {
      ...(database !== '' && { DATABASE_URL: database }),
      ...(token !== '' && { HEARTBEAT_TOKEN: token }),
    };
  }

  #environment(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(
      ([name]) => !/^(?:TEMPORAL_|MILLRACE_|NODE_OPTIONS|FORCE_COLOR|DATABASE_URL)/.test(name),
    );
    return {
      ...Object.fromEntries(kept),
      // What the system has comes first.
      PATH: `${process.env['PATH'] ?? ''}:${join(this.#dir, '.bin')}`,
      HOME: this.#home,
      NO_COLOR: '1',
      STATE: this.#state,
    };
  }
}

/** Machines without the shells of the databases get what the page needs of them. */
function addSqlite(bin: string): void {
  mkdirSync(bin);
  const scripts = { sqlite3: SQLITE, psql: PSQL };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!${process.execPath}\n${script}`);
    chmodSync(join(bin, name), 0o755);
  }
  if (!existsSync(join(ROOT, 'node_modules/better-sqlite3'))) throw new Error('Run npm ci');
}

const SQLITE = `
const Database = require(${JSON.stringify(join(ROOT, 'node_modules/better-sqlite3'))});
for (const row of new Database(process.argv[2]).prepare(process.argv[3]).raw().all())
  console.log(row.join('|'));
`;

const PSQL = `
const { Client } = require(${JSON.stringify(join(ROOT, 'node_modules/pg'))});
const client = new Client({ connectionString: process.argv[2] });
client.connect()
  .then(() => client.query({ text: process.argv.at(-1), rowMode: 'array' }))
  .then(({ rows }) => { for (const row of rows) console.log(row.join('|')); })
  .finally(() => client.end());
`;

/** Lines without what varies from run to run, and from machine to machine: times, durations, rates, how columns are filled. */
export function lasting(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')
        .replace(/\bin [\d.]+ (?:ms|s|min\w*)/g, 'in DURATION')
        .replace(/[\d,.]+ rows\/s/g, 'RATE')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '');
}
