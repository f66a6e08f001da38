import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { DatabaseInUse } from './dev-server-errors.js';
import { withFileLock } from './file-lock.js';
import { identifyProcess, processState, type ProcessIdentity } from './process-identity.js';

const STALE_STOP_LIMIT_MS = 5_000;
const STALE_POLL_MS = 50;

const identitySchema = z.object({ pid: z.number().int(), started: z.string().nullable() });
const recordSchema = z.object({
  owner: identitySchema,
  server: identitySchema.extend({ address: z.string() }).optional(),
});
type ServerRecord = z.infer<typeof recordSchema>;

/**
 * A note beside a database file, `<database file>.json`, that says which process has started which
 * server on it. Two servers on one file would damage it.
 */
export class ServerRecordFile {
  private constructor(
    private readonly recordFile: string,
    private readonly owner: ProcessIdentity,
  ) {}

  /**
   * Claims the database file for this process. A server that has outlived the process that started
   * it is ended first; it is recognised by its id and its start time, never by the id alone.
   *
   * @throws DatabaseInUse when the process that started the other server still runs.
   */
  static async claim(
    databaseFile: string,
    onProgress: (message: string) => void,
  ): Promise<ServerRecordFile> {
    const recordFile = `${databaseFile}.json`;
    return withFileLock(`${recordFile}.lock`, async () => {
      const found = await readRecord(recordFile);
      if (found !== undefined) await release(found, databaseFile, recordFile, onProgress);
      const record = new ServerRecordFile(recordFile, await identifyProcess(process.pid));
      await record.write({ owner: record.owner });
      return record;
    });
  }

  /** Notes the started server, so that a later start can find it. */
  async noteServer(pid: number, address: string): Promise<void> {
    await this.write({ owner: this.owner, server: { ...(await identifyProcess(pid)), address } });
  }

  /** Gives the database file up. */
  async remove(): Promise<void> {
    await rm(this.recordFile, { force: true });
  }

  private async write(record: ServerRecord): Promise<void> {
    const draft = `${this.recordFile}.${String(process.pid)}.tmp`;
    await writeFile(draft, `${JSON.stringify(record)}\n`);
    await rename(draft, this.recordFile);
  }
}

async function readRecord(recordFile: string): Promise<ServerRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(recordFile, 'utf8')));
  } catch {
    // Absent, or not ours: a record is replaced by renaming, so a half-written one is never seen.
    return undefined;
  }
}

async function release(
  { owner, server }: ServerRecord,
  databaseFile: string,
  recordFile: string,
  onProgress: (message: string) => void,
): Promise<void> {
  const serverState = server === undefined ? undefined : await processState(server);
  if (serverState === 'gone') return;
  if ((await processState(owner)) !== 'gone') {
    throw new DatabaseInUse(databaseFile, owner.pid, server?.address, recordFile);
  }
  if (server === undefined || serverState !== 'running') return;
  onProgress(`Stopping the Temporal dev server of an earlier run (process ${String(server.pid)})`);
  await end(server);
}

async function end(server: ProcessIdentity): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const deadlineMs = Date.now() + STALE_STOP_LIMIT_MS;
    signalIfAlive(server.pid, signal);
    while (Date.now() < deadlineMs) {
      if ((await processState(server)) === 'gone') return;
      await sleep(STALE_POLL_MS);
    }
  }
  throw new Error(
    `The Temporal dev server of an earlier run, process ${String(server.pid)}, does not end. End it by hand.`,
  );
}

function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    if (!isGone) throw error;
  }
}
