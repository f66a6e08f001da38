import type { Context } from 'koa';
import { FlowNotFound } from '../../engine/data-flow/flow-errors.js';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import { ContractViolation } from '../../src/contract/violation.js';
import type { Json } from '../../src/definition/json.js';
import { suggestion } from '../../src/definition/suggestion.js';
import type { Api } from '../api-options.js';
import { readInput } from '../middleware/body.js';

/** A request for a data flow, as its routes pass it on. */
export interface FlowRequest {
  readonly ctx: Context;
  readonly api: Api;
  /** Of the flow. */
  readonly name: string;
  /** Of the run, or its number; empty where the route has none. */
  readonly id: string;
  /** Path of all flows, as the client sees it: `/data_flows`. */
  readonly base: string;
}

/**
 * The project's flows, for a request for one of them. A project without any has no catalog, and gets none by being asked.
 *
 * @throws {@link FlowNotFound}, {@link CatalogUnavailable}
 */
export async function flowsFor({
  api: { engine },
  name,
}: Pick<FlowRequest, 'api' | 'name'>): Promise<DataFlows> {
  if (engine.dataFlowNames.length === 0) throw new FlowNotFound(name);
  return engine.dataFlows();
}

/**
 * A body with nothing in it but what the route knows.
 *
 * @throws {@link HttpProblem} where it is no object, {@link ContractViolation} for each other member
 */
export async function readMembers(
  { ctx, api }: Pick<FlowRequest, 'ctx' | 'api'>,
  known: readonly string[],
): Promise<Readonly<Record<string, Json>>> {
  const body = await readInput(ctx, api.settings.bodyLimitBytes);
  const violations = Object.entries(body)
    .filter(([name]) => !known.includes(name))
    .map(([name, value]) => ({
      path: name,
      got: typeof value,
      message: `Property '${name}' is not known here.${suggestion(name, known)}`,
    }));
  if (violations.length > 0) throw new ContractViolation(violations);
  return body;
}
