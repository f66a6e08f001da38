import { isAnyDefinition, isDefinition, type DefinitionKind } from '../../src/definition/brand.js';
import type { AttributeModule } from '../../src/attribute-pipeline/module.js';
import type { DataFlow } from '../../src/data-flow/data-flow.js';
import type { SinkConnector } from '../../src/data-flow/sink.js';
import type { SourceConnector } from '../../src/data-flow/source.js';
import type { TransformConnector } from '../../src/data-flow/transform.js';
import type { Site } from '../../src/definition/problem.js';
import type { Workflow } from '../../src/definition/workflow.js';
import type { Subscriber } from '../../src/event/subscriber.js';
import type { Operation } from '../../src/pipeline/operation.js';
import type { Pipeline } from '../../src/pipeline/pipeline.js';
import type { RecordPipeline } from '../../src/record-pipeline/record-pipeline.js';
import type { StepHandler } from '../../src/task/handler.js';
import type { Task } from '../../src/task/task.js';
import type { LoadedModule } from './module-evaluation.js';
import { shownPath, shownSite } from './site.js';

/** Everything that modules export and that some `defineX` made. The places are relative to the project. */
export interface ExportedDefinitions {
  readonly operations: readonly Operation[];
  readonly pipelines: readonly Pipeline[];
  readonly workflows: readonly Workflow[];
  readonly dataFlows: readonly DataFlow[];
  readonly sources: readonly SourceConnector[];
  readonly sinks: readonly SinkConnector[];
  readonly transforms: readonly TransformConnector[];
  readonly recordPipelines: readonly RecordPipeline[];
  readonly attributeModules: readonly AttributeModule[];
  readonly stepHandlers: readonly StepHandler[];
  readonly tasks: readonly Task[];
  readonly subscribers: readonly Subscriber[];
}

/** Collects the definitions among the exports of modules. One that is exported twice counts once. */
export function exportedDefinitions(
  modules: readonly LoadedModule[],
  dir: string,
): ExportedDefinitions {
  const found = new Map<object, { readonly site: Site }>();
  for (const { file, exports } of modules) {
    for (const value of Object.values(exports)) {
      if (!isAnyDefinition(value) || found.has(value)) continue;
      const site: unknown = 'site' in value ? value.site : undefined;
      // Only a defineX writes a site, and it writes nothing else there.
      const written =
        site === undefined ? { file: shownPath(file, dir) } : shownSite(site as Site, dir);
      found.set(value, { site: written });
    }
  }
  const ofKind = (kind: DefinitionKind): readonly object[] =>
    [...found]
      .filter(([value]) => isDefinition(value, kind))
      .map(([value, mark]) => ({ ...value, ...mark }));
  // The brand says what each is: only the defineX of that kind gives it.
  return {
    operations: ofKind('operation') as readonly Operation[],
    pipelines: ofKind('pipeline') as readonly Pipeline[],
    workflows: ofKind('workflow') as readonly Workflow[],
    dataFlows: ofKind('data_flow') as readonly DataFlow[],
    sources: ofKind('source') as readonly SourceConnector[],
    sinks: ofKind('sink') as readonly SinkConnector[],
    transforms: ofKind('transform') as readonly TransformConnector[],
    recordPipelines: ofKind('record_pipeline') as readonly RecordPipeline[],
    attributeModules: ofKind('module') as readonly AttributeModule[],
    stepHandlers: ofKind('step_handler') as readonly StepHandler[],
    tasks: ofKind('task') as readonly Task[],
    subscribers: ofKind('subscriber') as readonly Subscriber[],
  };
}
