import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const PS_LIMIT_MS = 5_000;

/** A process as written to a file: the id alone is not enough, since ids are used again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Says, with the pid, which process this is; null where the platform does not tell. */
  readonly started: string | null;
}

/** What can be said about a recorded process now. */
export type ProcessState = 'running' | 'gone' | 'unknown';

/** Describes a running process so that {@link processState} can recognise it later. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity> {
  return { pid, started: await startOf(pid) };
}

/**
 * Tells whether a recorded process still runs. `unknown` means that some process has this id, but
 * the platform gives no start time to compare.
 */
export async function processState(identity: ProcessIdentity): Promise<ProcessState> {
  if (!isAlive(identity.pid)) return 'gone';
  const started = await startOf(identity.pid);
  if (started === null) return process.platform === 'linux' ? 'gone' : 'unknown';
  if (identity.started === null) return 'unknown';
  return started === identity.started ? 'running' : 'gone';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function startOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') return startOnLinux(pid);
  if (process.platform === 'win32') return null;
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)], {
      timeout: PS_LIMIT_MS,
    });
    return stdout.trim() === '' ? null : stdout.trim();
  } catch {
    return null;
  }
}

/** See proc(5): after the command in parentheses, field 1 is the state and field 20 the start in ticks since boot. */
async function startOnLinux(pid: number): Promise<string | null> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${String(pid)}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; where nothing reaps orphans, as in many containers, it stays listed for ever.
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return `${boot.trim()}/${fields[19] ?? ''}`;
  } catch {
    return null;
  }
}
