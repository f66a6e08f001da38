import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MILLRACE } from './running-project.js';

const run = promisify(execFile);

/** Most of what commands may print, in bytes. */
const MAX_OUTPUT = 10_000_000;

/** Where commands of a page are executed. */
export interface Shell {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The server that stands for `http://127.0.0.1:8787`. */
  readonly url: string;
}

/** Executes commands as a page has them, against another server. @returns what they print */
export async function execute(commands: string, { cwd, env, url }: Shell): Promise<string> {
  const here = commands
    .replaceAll('http://127.0.0.1:8787', url)
    .replaceAll('npx millrace', `${process.execPath} ${MILLRACE}`)
    .replaceAll('curl ', 'curl -s ');
  const { stdout } = await run('bash', ['-euc', here], { cwd, env, maxBuffer: MAX_OUTPUT });
  return stdout;
}
