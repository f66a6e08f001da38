import type { Project } from '../../engine/project/load-project.js';
import type { Definition } from '../../engine/registry.js';
import type { Run } from '../../engine/run.js';
import type { Json } from '../../src/definition/json.js';
import type { Failure } from '../../src/pipeline/failure.js';
import type { RunEvent } from '../../src/progress/run-event.js';
import type { ExecutionStatus } from '../../src/progress/status.js';
import type { Execution } from '../../engine/execution.js';
import { DefinitionNotFound, RunFailed } from '../../engine/errors.js';
import {
  namesServer,
  startEnvironment,
  type TestEnvironmentOptions,
  type TestEnvironmentSettings,
} from '../test-environment.js';
import type { TestEngine } from '../test-engine.js';
import type { TestDefinitions, TestSources } from '../test-project.js';
import { onSharedServer } from './shared-server.js';

/** How a definition is run whole. */
export interface DefinitionRunOptions extends TestEnvironmentSettings {
  /** The project that it is part of: whatever it uses by name is found there. The working directory where only a name is given. */
  readonly dir?: string;
  /** Who starts the run. */
  readonly principal?: string;
}

/**
 * Where everything is found that is run: in the project of `dir`, or of the working directory for a name. A definition without a project
 * is all that there is.
 */
export function sourcesOf<D extends object>(
  definition: D | string,
  dir: string | undefined,
  alone: (definition: D) => TestDefinitions,
): TestSources {
  if (dir !== undefined || typeof definition === 'string') return { dir: dir ?? '.' };
  return alone(definition);
}

/** What a project is changed to for a run, and what is then done with an engine of it. */
export interface DefinitionWork<T> {
  readonly change: (project: Project) => Project;
  readonly work: (engine: TestEngine) => Promise<T>;
}

/**
 * Does something with an engine of a project that is there for this alone, on a server that others may share. What the work fails of
 * counts for more than what it leaves behind.
 */
export async function onOwnEngine<T>(
  sources: TestSources,
  options: DefinitionRunOptions,
  work: DefinitionWork<T>,
): Promise<T> {
  const { server = 'dev', config = {} } = options;
  const { dir: _, principal: _principal, ...settings } = options;
  if (namesServer(options)) return withEnvironment({ ...settings, ...sources }, work);
  return onSharedServer(server, (address) => {
    const temporal = { ...config.temporal, address };
    return withEnvironment({ ...settings, ...sources, config: { ...config, temporal } }, work);
  });
}

async function withEnvironment<T>(
  options: TestEnvironmentOptions,
  { change, work }: DefinitionWork<T>,
): Promise<T> {
  const environment = await startEnvironment(options, change);
  let result: T;
  try {
    result = await work(environment.engine);
  } catch (error) {
    await environment.stop().catch(() => undefined);
    throw error;
  }
  await environment.stop();
  return result;
}

/** The definition of a kind in a project. @throws {@link DefinitionNotFound} */
export function requireDefinition<K extends 'pipeline' | 'task'>(
  { registry }: Project,
  kind: K,
  name: string,
): Definition & { readonly kind: K } {
  const definition = registry.definitions.get(name);
  if (definition?.kind !== kind) throw new DefinitionNotFound(name, kind);
  // Its kind was looked at.
  return definition as Definition & { readonly kind: K };
}

/** The project with another form of one of its definitions. */
export function withDefinition(project: Project, definition: Definition): Project {
  const { registry } = project;
  const definitions = new Map(registry.definitions).set(definition.name, definition);
  return { ...project, registry: { ...registry, definitions } };
}

/** All events of a run that is over. */
export async function eventsOf(run: Run<unknown>): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.events()) events.push(event);
  return events;
}

/** How a run of a definition has ended. */
export type RunEnd<Result> =
  | { readonly status: 'completed'; readonly result: Result; readonly failure?: undefined }
  | {
      readonly status: Exclude<ExecutionStatus, 'completed' | 'pending' | 'running'>;
      /** Throws {@link RunFailed}, with the failure: a test that looks at a result says why there is none. */
      readonly result: never;
      readonly failure: Failure;
    };

/** What is known of a run that is over, with how it has ended, as its description has it. */
export function withEnd<Parts extends { readonly id: string }>(
  parts: Parts,
  { status, result = null, failure }: Pick<Execution, 'status' | 'result' | 'failure'>,
): Parts & RunEnd<Json> {
  if (status === 'completed') return { ...parts, status, result };
  if (status === 'pending' || status === 'running' || failure === undefined)
    throw new TypeError(`${parts.id} is over, and ${status}`);
  const run = {
    ...parts,
    status,
    failure,
    get result(): never {
      throw new RunFailed(parts.id, status, failure);
    },
  };
  // Whoever prints the run asks for no result.
  return Object.defineProperty(run, 'result', { enumerable: false });
}
