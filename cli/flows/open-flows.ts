import { connectEngine, type ConnectedEngine } from '../../engine/create-engine.js';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import { FlowNotFound } from '../../engine/data-flow/flow-errors.js';
import { suggestion } from '../../src/definition/suggestion.js';
import { UsageError } from '../exit-code.js';
import { projectDir, requireProject } from '../project.js';

/** What a command about data flows works with. */
export interface OpenFlows {
  readonly engine: ConnectedEngine;
  readonly flows: DataFlows;
  /** The project's folder, absolute. */
  readonly dir: string;
}

/**
 * Loads the project, connects to its Temporal server and its catalog, does something with its flows, and closes all of it.
 *
 * @throws {@link ProjectRefused}, {@link UsageError} for a flow that is not there, and what connecting throws
 */
export async function withFlows<T>(
  dir: string | undefined,
  work: (open: OpenFlows) => Promise<T>,
): Promise<T> {
  const project = await requireProject(projectDir(dir));
  const engine = await connectEngine(project, process.env);
  try {
    const flows = await engine.dataFlows();
    try {
      return await work({ engine, flows, dir: project.dir });
    } catch (error) {
      throw error instanceof FlowNotFound ? await notThere(flows, error) : error;
    }
  } finally {
    await engine.close();
  }
}

async function notThere(flows: DataFlows, { flow, message }: FlowNotFound): Promise<UsageError> {
  const names = (await flows.list()).map(({ record }) => record.name);
  if (names.includes(flow)) {
    return new UsageError(
      `No deployed code has the data flow "${flow}" any more. \`millrace flows prune\` tells what is left over.`,
    );
  }
  const hint = names.length === 0 ? ' Flows are found in flows/.' : suggestion(flow, names);
  return new UsageError(`${message}${hint}`);
}
