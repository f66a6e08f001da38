import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import proto from '@temporalio/proto';
import type { Engine } from '../../engine/engine.js';
import { historyOfJson } from './history-json.js';
import { HistoryInvalid } from './replay-errors.js';

const { History } = proto.temporal.api.history.v1;

type HistoryMessage = proto.temporal.api.history.v1.IHistory;

/**
 * Where histories are: a file of `temporal workflow show --output json`, or a folder with such files; what a client's `fetchHistory()`
 * gives; a run on the server of an engine.
 */
export type HistorySource =
  | string
  | URL
  | HistoryMessage
  | { readonly engine: Pick<Engine, 'temporal'>; readonly id: string };

/** A history, and what it is called in messages. */
export interface NamedHistory {
  readonly name: string;
  readonly workflowId: string;
  readonly history: HistoryMessage;
}

/** Also those in a folder: JSON, or Temporal's binary form, compressed or not. */
const HISTORY_FILE = /\.(?:json|binpb)(?:\.gz)?$/;

/** The histories of a source. @throws {@link HistoryInvalid} */
export async function* historiesOf(
  source: HistorySource,
  place: string,
): AsyncGenerator<NamedHistory> {
  if (typeof source === 'string' || source instanceof URL) {
    const path = source instanceof URL ? fileURLToPath(source) : source;
    for (const file of await filesOf(path)) yield named(file, await readHistory(file));
    return;
  }
  if ('engine' in source) {
    const { client } = source.engine.temporal;
    yield named(source.id, await client.workflow.getHandle(source.id).fetchHistory());
    return;
  }
  yield named(undefined, source, place);
}

async function filesOf(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch((error: unknown) => {
    throw new HistoryInvalid(path, `${error instanceof Error ? error.message : String(error)}.`);
  });
  if (!found.isDirectory()) return [path];
  const names = await readdir(path, { recursive: true });
  return names
    .filter((name) => HISTORY_FILE.test(name))
    .sort()
    .map((name) => join(path, name));
}

async function readHistory(file: string): Promise<HistoryMessage> {
  const content = await readFile(file);
  try {
    const plain = file.endsWith('.gz') ? gunzipSync(content) : content;
    return /\.binpb(?:\.gz)?$/.test(file)
      ? History.decode(plain)
      : historyOfJson(JSON.parse(plain.toString('utf8')));
  } catch (error) {
    throw new HistoryInvalid(file, `${error instanceof Error ? error.message : String(error)}.`);
  }
}

function named(name: string | undefined, history: HistoryMessage, place = ''): NamedHistory {
  const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
  if (!started)
    throw new HistoryInvalid(name ?? place, 'its first event is not the start of a run.');
  // The run's own id is part of the ids of what it starts.
  const workflowId = started.workflowId ?? 'unknown';
  return { name: name ?? workflowId, workflowId, history };
}
