import { z } from 'zod';
import type { SchemaProblem } from '../config/schema-problems.js';
import { judgedLater, parseWritten, type WrittenForm } from '../config/written-form.js';
import { DEFINITION } from '../definition/brand.js';
import type { Json, JsonObject } from '../definition/json.js';
import { suggestion } from '../definition/suggestion.js';
import type { ObjectType } from '../pipeline/operation.js';
import type { Path } from '../pipeline/problem-list.js';
import { retryOf, writtenRetry } from '../pipeline/written-pipeline.js';
import type { Connectors } from './connectors.js';
import type { DataFlow } from './data-flow.js';
import type { FlowRequest } from './request.js';
import { configurationPlaces, withConfiguration } from './template.js';

const connector = z.preprocess(
  (written) => (typeof written === 'string' ? { class_name: written } : written),
  z.strictObject({
    class_name: z.string(),
    options: z.record(z.string(), z.json()).default({}),
  }),
);

/** A JSON Schema of an object. */
const schema = z.record(z.string(), z.json());

const flowSchema = z.strictObject({
  name: z.string().optional(),
  description: judgedLater,
  enabled: judgedLater,
  schedule: judgedLater,
  configuration: schema.optional(),
  after: judgedLater,
  overlap: judgedLater,
  catchup_window: judgedLater,
  retry: writtenRetry.optional(),
  timeout: judgedLater,
  source: connector.optional(),
  reads: schema.optional(),
  transform: connector.optional(),
  writes: schema.optional(),
  sink: connector.optional(),
  batch_size: judgedLater,
  batch_timeout: judgedLater,
  max_rejected: judgedLater,
});

type Written = z.output<typeof flowSchema>;

/**
 * A flow as YAML writes it, in the form that the compiler takes. `class_name` names a registered connector; a name that
 * nobody has registered is a problem.
 */
export function parseWrittenFlow(
  value: Readonly<Record<string, unknown>>,
  connectors: Connectors,
): WrittenForm<DataFlow> {
  const { value: written, told, problems } = parseWritten(flowSchema, value);
  const found: SchemaProblem[] = [];
  const definition = definitionOf(written, connectors, found);
  return {
    value: definition,
    told: [...told, ...found.map(({ path }) => path.slice(0, 1))],
    problems: [...problems, ...found],
  };
}

function definitionOf(written: Written, connectors: Connectors, found: SchemaProblem[]): DataFlow {
  const { source, sink, transform, configuration, reads, writes } = written;
  const { catchup_window, batch_size, batch_timeout, max_rejected, retry, ...rest } = written;
  const between = transform && use('transform', transform, connectors.transforms, found);
  const definition = {
    ...rest,
    ...set('catchupWindow', catchup_window),
    ...set('batchSize', batch_size),
    ...set('batchTimeout', batch_timeout),
    ...set('maxRejected', max_rejected),
    ...set('retry', retry && retryOf(retry)),
    ...set('configuration', configuration && objectType('configuration', configuration, found)),
    ...set('reads', reads && objectType('reads', reads, found)),
    ...set('writes', writes && objectType('writes', writes, found)),
    ...set('source', source && asked(use('source', source, connectors.sources, found))),
    ...set('sink', sink && asked(use('sink', sink, connectors.sinks, found))),
    // Its options cannot depend on the configuration, which it gets with each row.
    ...set('transform', between && { transform: between.connector, options: between.options }),
  };
  return { [DEFINITION]: 'data_flow', name: written.name ?? '', written: definition };
}

function set(name: string, value: unknown): object {
  return value === undefined ? {} : { [name]: value };
}

interface Use<T> {
  readonly connector: T;
  readonly options: JsonObject;
}

function use<T>(
  kind: 'source' | 'sink' | 'transform',
  { class_name: name, options }: { readonly class_name: string; readonly options: JsonObject },
  known: ReadonlyMap<string, T>,
  found: SchemaProblem[],
): Use<T> | undefined {
  const connector = known.get(name);
  if (connector !== undefined) return { connector, options };
  const remedy = `Register one: export it from a file in connectors/.${suggestion(name, [...known.keys()])}`;
  add(found, [kind, 'class_name'], `there is no ${kind} "${name}". ${remedy}`);
  return undefined;
}

/** A use whose options may refer to the configuration, which is only known when a run begins. */
function asked<T>(
  written: Use<T> | undefined,
): Use<T> | ((request: FlowRequest) => Use<T>) | undefined {
  if (written === undefined || configurationPlaces(written.options).length === 0) return written;
  return ({ configuration }) => ({
    ...written,
    // Options were an object before, and places in it do not change that.
    options: withConfiguration(written.options, configuration) as JsonObject,
  });
}

function objectType(
  part: string,
  written: Readonly<Record<string, Json>>,
  found: SchemaProblem[],
): ObjectType | undefined {
  try {
    // A JSON Schema that says no type may be meant as that of an object: there is nothing else that it could be here.
    const type = z.fromJSONSchema({ type: 'object', ...written });
    if (type instanceof z.ZodObject) return type;
    add(
      found,
      [part],
      `${part} must be a JSON Schema of an object: type: object, properties: { … }.`,
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    add(found, [part], `${part} is no JSON Schema that can be used: ${reason}.`);
  }
  return undefined;
}

function add(found: SchemaProblem[], path: Path, message: string): void {
  found.push({ path, unknownName: false, message });
}
