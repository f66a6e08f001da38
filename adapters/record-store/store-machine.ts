import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { StoreUnusable } from '../../src/record-store/errors.js';

/** A worker that serves a store says so this often. */
export const STAMP_EVERY_MS = 10_000;

/** A machine that has said nothing for so long does not use the store any more. */
const STAMP_VALID_MS = 4 * STAMP_EVERY_MS;

/** Which machine uses a store, as its workers say in the store's folder. */
const stampSchema = z.object({
  machine: z.string(),
  host: z.string(),
  pid: z.number(),
  /** ISO 8601. */
  at: z.string(),
});

/** This machine's name for people. Containers have one each. */
export const HOST = hostname();

/**
 * Says that this machine uses a store: SQLite files that two machines have open, on a shared disk, are broken sooner or later.
 *
 * @throws {@link StoreUnusable} while another machine uses it
 */
export function stampMachine(dir: string, now: Date): void {
  const file = join(dir, 'machine.json');
  const known = readStamp(file);
  const isFresh = known !== undefined && now.getTime() - Date.parse(known.at) < STAMP_VALID_MS;
  if (isFresh && known.machine !== machine())
    throw new StoreUnusable(
      dir,
      `is in use on the machine ${known.host} (process ${String(known.pid)}, ${known.at}). A store lives on one machine: stop the workers there, or give this one a store of its own.`,
    );
  mkdirSync(dir, { recursive: true });
  const draft = `${file}.${String(process.pid)}.tmp`;
  const stamp = { machine: machine(), host: HOST, pid: process.pid, at: now.toISOString() };
  writeFileSync(draft, `${JSON.stringify(stamp)}\n`);
  renameSync(draft, file);
}

/** Says that this process uses a store no more, so that another machine need not wait. */
export function unstampMachine(dir: string): void {
  const file = join(dir, 'machine.json');
  const known = readStamp(file);
  if (known?.machine === machine() && known.pid === process.pid) rmSync(file, { force: true });
}

function readStamp(file: string): z.infer<typeof stampSchema> | undefined {
  try {
    return stampSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Absent, or not ours: it is replaced by renaming, so a half-written one is never seen.
    return undefined;
  }
}

/** Containers on one kernel are one machine: what they have open together, SQLite keeps in order. */
function machine(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return HOST;
  }
}
