import { Worker } from '@temporalio/worker';
import pino from 'pino';
import { installRuntime } from '../../engine/native-connection.js';
import type { Environment } from '../../engine/project/secrets.js';
import type { Project } from '../../engine/project/load-project.js';
import type { ConfigDefinition } from '../../src/config/config.js';
import { eventSinks } from '../../worker/event-sinks.js';
import { bundleOf } from '../../worker/project-worker.js';
import { temporalLogger } from '../../worker/temporal-logger.js';
import { testProject } from '../test-project.js';
import { historiesOf, type HistorySource, type NamedHistory } from './history-source.js';
import { HistoriesDiverged, HistoryInvalid, type DivergedHistory } from './replay-errors.js';

/** The workflow code that histories are replayed with: a project's, or that of some files beside Millrace's own. */
export type ReplayOptions = (
  | { readonly dir: string; readonly workflowFiles?: never }
  | { readonly dir?: never; readonly workflowFiles?: readonly (string | URL)[] }
) & {
  /** Wins over what the project's config says, option by option. */
  readonly config?: ConfigDefinition;
  /** The environment that the project is loaded with; that of the process unless set. */
  readonly env?: Environment;
};

/** What was replayed. */
export interface Replayed {
  /** The workflow ids, in the order of the histories. */
  readonly workflowIds: readonly string[];
}

/**
 * Replays histories of runs with the workflow code as it is now, without a server: what it would do otherwise than it did then would leave
 * runs like these hanging after a deploy. All of them are replayed, whatever comes of the first.
 *
 * @param histories - files or folders of `temporal workflow show --output json`, histories that a client has fetched, or runs of an engine
 * @example
 * ```ts
 * await replay(['test/histories'], { dir: '.' });
 * ```
 *
 * @throws {@link HistoriesDiverged} with each of them, {@link HistoryInvalid}, also where there is none to replay,
 *   {@link DefinitionError} with every problem of the project
 */
export async function replay(
  histories: readonly HistorySource[],
  options: ReplayOptions,
): Promise<Replayed> {
  const log = pino({ level: 'silent' });
  installRuntime(temporalLogger(log));
  const { config = {}, env = process.env, ...sources } = options;
  const project: Project = await testProject(sources, { config, env, models: new Map() });
  const all: NamedHistory[] = [];
  for (const [at, source] of histories.entries())
    for await (const history of historiesOf(source, `history ${String(at + 1)}`)) all.push(history);
  // A test that replays nothing would always pass.
  if (all.length === 0) throw new HistoryInvalid('What was given', 'there is no history in it.');
  const replaying = {
    workflowBundle: { codePath: await bundleOf(project, log) },
    sinks: { ...project.config.worker.sinks, ...eventSinks(undefined, log) },
  };
  const diverged: DivergedHistory[] = [];
  let at = 0;
  for await (const { error } of Worker.runReplayHistories(replaying, all)) {
    const { name, workflowId } = all[at] ?? { name: '', workflowId: '' };
    if (error) diverged.push({ history: name, workflowId, reason: error.message });
    at += 1;
  }
  if (diverged.length > 0) throw new HistoriesDiverged(diverged, all.length);
  return { workflowIds: all.map(({ workflowId }) => workflowId) };
}
