import type { Recording, RecordedOperation } from '../../engine/recording/recording.js';
import type { Project } from '../../engine/project/load-project.js';
import type { OperationPlan } from '../../src/pipeline/plan.js';
import { requireDefinition, withDefinition } from './definition-run.js';
import { ObservedOperation } from './observed-operation.js';
import { recordedStub } from './recorded-operation.js';
import { RecordingOutdated, StubUnknown } from './stub-errors.js';
import type { OperationStub, OperationStubs } from './stub.js';

/** What stands in for the operations of a pipeline. */
export interface PipelineStubs {
  readonly operations?: OperationStubs | undefined;
  /** Stands in for all others. */
  readonly recording?: (Recording & { readonly kind: 'pipeline' }) | undefined;
  /** Those for which it does not, by their names. */
  readonly real?: readonly string[] | undefined;
}

/** A pipeline in whose places stubs may stand. Each place has an operation of its own, which knows what it gets. */
export class StubbedPipeline {
  readonly places: readonly ObservedOperation[];
  readonly project: Project;

  /** @throws {@link StubUnknown}, {@link RecordingOutdated}, {@link DefinitionNotFound} */
  constructor(project: Project, name: string, stubs: PipelineStubs) {
    const definition = requireDefinition(project, 'pipeline', name);
    const { plan } = definition;
    const operations = new Map(project.registry.operations);
    const places: ObservedOperation[] = [];
    const placeOf = (stage: string, use: OperationPlan, key: string): OperationPlan => {
      const operation = operations.get(use.type);
      // A plan has only operations that are registered.
      if (operation === undefined) throw new TypeError(`no operation "${use.type}"`);
      const place = new ObservedOperation(stage, use.name, operation);
      place.stub = stubOf(place, stubs);
      places.push(place);
      operations.set(key, place.operation);
      return { ...use, type: key };
    };
    const stages = plan.stages.map((stage, index) => ({
      ...stage,
      operations: stage.operations.map((use, at) =>
        placeOf(stage.name, use, `${use.type}@${String(index)}.${String(at)}`),
      ),
    }));
    this.places = places;
    requireKnown(name, places, stubs);
    const changed = withDefinition(project, { ...definition, plan: { ...plan, stages } });
    this.project = { ...changed, registry: { ...changed.registry, operations } };
  }
}

function stubOf(
  place: ObservedOperation,
  { operations = {}, recording, real = [] }: PipelineStubs,
): OperationStub | undefined {
  const named = namesOf(place).find((name) => Object.hasOwn(operations, name));
  if (named !== undefined) return operations[named];
  if (recording === undefined || namesOf(place).some((name) => real.includes(name)))
    return undefined;
  const recorded = recording.operations.find((one) => isOf(one, place));
  return recordedStub(place, recorded?.effect);
}

/** What a place may be called, the most exact first. */
function namesOf({ stage, name, type }: ObservedOperation): readonly string[] {
  return [`${stage}/${name}`, name, type];
}

function isOf({ stage, operation }: RecordedOperation, place: ObservedOperation): boolean {
  return stage === place.stage && operation === place.name;
}

function requireKnown(
  name: string,
  places: readonly ObservedOperation[],
  { operations = {}, recording, real = [] }: PipelineStubs,
): void {
  const known = new Set(places.flatMap(namesOf));
  const unknown = [...Object.keys(operations), ...real].filter((one) => !known.has(one));
  if (unknown.length > 0)
    throw new StubUnknown(name, unknown, [...new Set(places.map((place) => place.name))]);
  const gone = (recording?.operations ?? []).filter(
    (recorded) => !places.some((place) => isOf(recorded, place)),
  );
  if (gone.length > 0)
    throw new RecordingOutdated(
      name,
      gone.map(({ stage, operation }) => `${stage}/${operation}`),
    );
}
