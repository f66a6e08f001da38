import { hostname } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../connection.js';

/** What is not whole after so long is abandoned, whoever has begun it. */
const ABANDONED_MS = 3_600_000;

const PART = /\.sqlite3\.part-(.+)-(\d+)-\d+(?:-journal|-wal|-shm)?$/;

let parts = 0;

/** A name for a file that is not whole yet. It tells the machine and the process which make it. */
export function partFile(folder: string, name: string): string {
  parts += 1;
  const maker = [hostname(), process.pid, parts].join('-');
  return join(folder, `${name}.sqlite3.part-${maker}`);
}

/** True for the name of a file that is not whole yet. */
export function isPart(name: string): boolean {
  return PART.test(name);
}

/** True for a file whose maker is no more, so that it will never be whole. */
export function isAbandoned(name: string, ageMs: number): boolean {
  const [, host, pid] = PART.exec(name) ?? [];
  if (host === undefined) return false;
  // Processes of other machines, and of other containers, are not seen from here.
  return ageMs > ABANDONED_MS || (host === hostname() && !isAlive(Number(pid)));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}
