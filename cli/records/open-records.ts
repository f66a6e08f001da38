import { coreOf } from '../../adapters/record-store/define-store.js';
import type { SqliteStore } from '../../adapters/record-store/sqlite-store.js';
import type { Project } from '../../engine/project/load-project.js';
import { RecordStoreError } from '../../src/record-store/errors.js';
import { suggestion } from '../../src/definition/suggestion.js';
import { UsageError } from '../exit-code.js';
import { projectDir, requireProject } from '../project.js';

/** Loads the project, and makes sure that it has a record pipeline. @throws {@link ProjectRefused}, {@link UsageError} */
export async function projectWith(dir: string | undefined, pipeline: string): Promise<Project> {
  const project = await requireProject(projectDir(dir));
  const names = [...project.registry.recordPipelines.keys()];
  if (names.includes(pipeline)) return project;
  const hint = names.length === 0 ? ' They are found in records/.' : suggestion(pipeline, names);
  throw new UsageError(`There is no record pipeline "${pipeline}".${hint}`);
}

/**
 * Does something with the store of a record pipeline, which has to be on this machine.
 *
 * @throws {@link ProjectRefused}, {@link UsageError} with what the store has against it
 */
export async function withStore<T>(
  dir: string | undefined,
  pipeline: string,
  work: (store: SqliteStore) => T | Promise<T>,
): Promise<T> {
  const project = await projectWith(dir, pipeline);
  const store = coreOf(project.registry.recordPipelines.get(pipeline)?.store ?? {});
  store.startAt(project.dir);
  try {
    if (!store.exists)
      throw new UsageError(
        `There is no store in ${store.dir}. The first run makes it, or a script that writes into it; a store lives on one machine.`,
      );
    return await work(store);
  } catch (error) {
    throw error instanceof RecordStoreError ? new UsageError(error.message) : error;
  } finally {
    store.close();
  }
}
