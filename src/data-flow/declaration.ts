import type { FlowDeclaration } from './catalog.js';
import type { CompiledDataFlow } from './compile.js';

/** What a flow's code says to the catalog. */
export function declarationOf(flow: CompiledDataFlow): FlowDeclaration {
  const { name, description, enabled, schedule, defaults } = flow;
  return {
    name,
    description: description ?? null,
    enabled,
    runInterval:
      schedule.kind === 'every' || schedule.kind === 'heartbeat' ? schedule.seconds : null,
    configuration: defaults,
    heartbeat: schedule.kind === 'heartbeat',
  };
}
