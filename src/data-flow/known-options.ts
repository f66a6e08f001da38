import type { JsonObject } from '../definition/json.js';
import type { CompiledDataFlow } from './compile.js';

/** The options of a flow's connectors, as far as they are known before a run: those that its defaults lead to. */
export function knownOptions({
  work,
  defaults,
}: Pick<CompiledDataFlow, 'work' | 'defaults'>): readonly JsonObject[] {
  if (work.kind !== 'move') return [];
  const request = { configuration: defaults, trigger: 'manual', scheduledAt: undefined } as const;
  return [work.source, work.sink].flatMap((asked): readonly JsonObject[] => {
    try {
      return [asked(request).options];
    } catch {
      // What depends on a configuration that has no default is only known when a run begins.
      return [];
    }
  });
}
