import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findFreePort } from '../../engine/dev-server/free-port.js';
import { MAIN, type CliOptions } from '../support/cli.js';
import { send } from '../support/http-api.js';
import { until } from '../support/until.js';

/** A key that the configuration of the page takes. */
export const KEY = { authorization: 'Bearer sesame' };

/** Puts the program where `npm install` would have put it. */
export async function installProgram(dir: string): Promise<void> {
  const file = join(dir, 'node_modules/.bin/millrace');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  await chmod(file, 0o755);
}

/**
 * A command as a page has it, to be run by a shell that it takes the place of: `npx` finds the program in the project, and nothing but
 * loopback is there for tests.
 */
export function command(
  line: string,
  options: Omit<CliOptions, 'program'>,
): readonly [readonly string[], CliOptions] {
  const here = line
    .replace(/npx millrace/g, 'node_modules/.bin/millrace')
    .replace('0.0.0.0', '127.0.0.1')
    .replace(/^((?:\w+=\S+ )*)(?=node_modules)/m, '$1exec ')
    .replace(/^((?:\w+=\S+ )+)exec /m, 'export $1\nexec ');
  return [['-euc', here], { ...options, program: '/bin/sh' }];
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  return findFreePort('127.0.0.1', 0);
}

/** Waits until a process says that it is ready. */
export async function untilReady(url: string, path = '/ready'): Promise<void> {
  await until(async () => {
    const status = await send(`${url}${path}`).then(
      (answer) => answer.status,
      () => undefined,
    );
    return status === 200 ? true : undefined;
  }, 30_000);
}
