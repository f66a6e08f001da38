import { realpathSync } from 'node:fs';
import pLimit from 'p-limit';
import { configuredTemporal, connectClient } from '../engine/connection.js';
import { ConnectedEngine } from '../engine/create-engine.js';
import { findDev } from '../engine/dev-server/dev-record.js';
import { RunNotFound } from '../engine/errors.js';
import { findTemporal } from '../engine/find-temporal.js';
import { loadProject } from '../engine/project/load-project.js';
import { EMPTY_REGISTRY } from '../engine/registry.js';
import { statusOf } from '../engine/execution.js';
import { isUnknownWorkflow } from '../engine/running-workflow.js';
import { requestTemporal } from '../engine/temporal-request.js';
import type { ExecutionStatus } from '../src/progress/status.js';
import type { Run } from '../engine/run.js';
import { parseRunId, type RunId } from '../engine/run-id.js';
import type { TemporalSettings } from '../src/config/config.js';
import { UsageError } from './exit-code.js';
import { problemReport } from './problem-report.js';

/** Looks at a run's id that names no definition under so many names at once. */
const LOOKUPS_AT_ONCE = 10;

/**
 * An engine for looking at runs, whatever the project defines now: runs of definitions that are gone, or wrong at the
 * moment, can be looked at too.
 */
export async function connectForRuns(dir: string): Promise<ConnectedEngine> {
  const settings = await findTemporal(
    realpathIfThere(dir),
    await temporalSettings(dir),
    process.env,
  );
  const { client, close } = await connectClient(settings);
  const { uiUrl } = settings;
  const code = { registry: EMPTY_REGISTRY };
  return new ConnectedEngine(
    { client, taskQueue: '', code, ...(uiUrl !== undefined && { uiUrl }) },
    close,
  );
}

/**
 * A run by its workflow id (`pipeline/summarize/01J…`), or by its execution id alone (`01J…`), which is then looked for
 * under every definition of the project.
 *
 * @throws {@link UsageError} when there is none
 */
export async function findRun(engine: ConnectedEngine, dir: string, id: string): Promise<Run> {
  const parsed = parseRunId(id);
  if (parsed !== undefined) return existing(engine, [parsed], id);
  if (id.includes('/'))
    throw new UsageError(
      `"${id}" is no id of a run. Ids look like pipeline/summarize/01J… or 01J….`,
    );
  const { project, problems } = await loadProject(dir);
  if (project === undefined) {
    throw new UsageError(
      `${problemReport(problems)}\nThe project does not load, so write the whole id: pipeline/<name>/${id}.`,
    );
  }
  const { definitions, recordPipelines } = project.registry;
  const candidates = [...definitions.values(), ...recordPipelines.values()].map(
    ({ kind, name }): RunId => ({ kind, name, executionId: id }),
  );
  return existing(engine, candidates, id);
}

/** What can be asked to end. */
export interface Cancellable {
  /** The workflow id. */
  readonly id: string;
  status(): Promise<ExecutionStatus>;
  cancel(): Promise<void>;
}

/** A run as {@link findRun} finds it, or several of attribute pipelines, or evals, by their workflow id. @throws {@link UsageError} */
export async function findCancellable(
  engine: ConnectedEngine,
  dir: string,
  id: string,
): Promise<Cancellable> {
  if (!/^millrace\/(refresh|evals)\//.test(id)) {
    const run = await findRun(engine, dir, id);
    return {
      id: run.id,
      status: async () => (await run.describe()).status,
      cancel: () => run.cancel(),
    };
  }
  const handle = engine.temporal.client.workflow.getHandle(id);
  return {
    id,
    status: async () => {
      try {
        const { status } = await requestTemporal(handle.client, () => handle.describe());
        return statusOf(status.name);
      } catch (error) {
        if (isUnknownWorkflow(error)) throw new UsageError(`There is no run ${id}.`);
        throw error;
      }
    },
    cancel: async () => {
      await requestTemporal(handle.client, () => handle.cancel());
    },
  };
}

async function existing(
  engine: ConnectedEngine,
  candidates: readonly RunId[],
  id: string,
): Promise<Run> {
  const limit = pLimit(LOOKUPS_AT_ONCE);
  const found = await Promise.all(
    candidates.map((candidate) => limit(() => runIfThere(engine, candidate))),
  );
  const run = found.find((candidate) => candidate !== undefined);
  if (run === undefined)
    throw new UsageError(`There is no run ${id}. \`millrace list\` shows the runs that there are.`);
  return run;
}

async function runIfThere(engine: ConnectedEngine, id: RunId): Promise<Run | undefined> {
  const run = engine.runWithId(id);
  try {
    await run.describe();
    return run;
  } catch (error) {
    if (error instanceof RunNotFound) return undefined;
    throw error;
  }
}

/** What the project's config says; nothing needs to be loaded to find the server of a `millrace dev` that runs. */
async function temporalSettings(dir: string): Promise<TemporalSettings> {
  const dev = await findDev(realpathIfThere(dir));
  if (dev?.temporal.embedded === true && configuredTemporal({}, process.env) === undefined)
    return {};
  const { project, problems } = await loadProject(dir);
  if (project !== undefined) return project.config.temporal;
  process.stderr.write(
    `${problemReport(problems)}\nThe project does not load: going by TEMPORAL_* and temporal.toml alone.\n`,
  );
  return {};
}

function realpathIfThere(dir: string): string {
  try {
    return realpathSync(dir);
  } catch {
    return dir;
  }
}
