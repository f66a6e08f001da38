import {
  compileDataFlow,
  type CompiledDataFlow,
  type DataFlowSource,
} from '../src/data-flow/compile.js';
import type { Connectors } from '../src/data-flow/connectors.js';
import type { SinkConnector } from '../src/data-flow/sink.js';
import type { SourceConnector } from '../src/data-flow/source.js';
import type { TransformConnector } from '../src/data-flow/transform.js';
import { nameProblem } from '../src/definition/name.js';
import type { Problem } from '../src/definition/problem.js';
import { suggestion } from '../src/definition/suggestion.js';

/** Connectors as they were found: those of the product, then those of the project. */
export interface FoundConnectors {
  readonly sources: readonly SourceConnector[];
  readonly sinks: readonly SinkConnector[];
  readonly transforms: readonly TransformConnector[];
}

/** Connectors by name. Sources, sinks and transforms have names of their own each: a `csv` can be read and written. */
export function registerConnectors(found: FoundConnectors): {
  readonly connectors: Connectors;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const connectors = {
    sources: byName('source', found.sources, problems),
    sinks: byName('sink', found.sinks, problems),
    transforms: byName('transform', found.transforms, problems),
  };
  return { connectors, problems };
}

function byName<T extends SourceConnector | SinkConnector | TransformConnector>(
  what: string,
  found: readonly T[],
  problems: Problem[],
): ReadonlyMap<string, T> {
  const named = new Map<string, T>();
  for (const connector of found) {
    const { connectorName: name, site } = connector;
    const wrong = nameProblem(name);
    const other = named.get(name);
    if (wrong === undefined && other === undefined) {
      named.set(name, connector);
      continue;
    }
    const place =
      other?.site === undefined
        ? 'the product itself'
        : `${other.site.file}:${String(other.site.line ?? 1)}`;
    problems.push({
      ...(site !== undefined && { site }),
      definition: name,
      message:
        wrong === undefined
          ? `${what} "${name}" is already defined by ${place}. Rename one of them.`
          : `${what} ${wrong}`,
    });
  }
  return named;
}

/** Compiles flows, and looks at what they say of each other. */
export function compileDataFlows(sources: readonly DataFlowSource[]): {
  readonly flows: readonly CompiledDataFlow[];
  readonly problems: readonly Problem[];
} {
  const compiled = sources.map((source) => ({ source, ...compileDataFlow(source) }));
  const flows = compiled.flatMap(({ flow }) => (flow === undefined ? [] : [flow]));
  const names = compiled.map(({ source }) => source.definition.name).filter((name) => name !== '');
  const order = compiled.flatMap(({ source, flow }) =>
    flow === undefined ? [] : orderProblems(source, flow, flows, names),
  );
  return { flows, problems: [...compiled.flatMap(({ problems }) => problems), ...order] };
}

/** Flows that come after flows which do not exist, or after themselves. */
function orderProblems(
  { locate }: DataFlowSource,
  { name, after }: CompiledDataFlow,
  flows: readonly CompiledDataFlow[],
  names: readonly string[],
): readonly Problem[] {
  const site = locate(['after']);
  const problem = (message: string): Problem => ({
    ...(site !== undefined && { site }),
    definition: name,
    message,
  });
  const unknown = after.filter((other) => !names.includes(other));
  const circle = circleOf(name, flows);
  return [
    ...unknown.map((other) =>
      problem(`after: there is no data flow "${other}".${suggestion(other, names)}`),
    ),
    ...(circle === undefined
      ? []
      : [
          problem(
            `after: the flows wait for each other: ${circle.join(' → ')}. None of them would ever start.`,
          ),
        ]),
  ];
}

/** The way from a flow back to itself, if there is one. */
function circleOf(name: string, flows: readonly CompiledDataFlow[]): readonly string[] | undefined {
  const ways: (readonly string[])[] = [[name]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const last = way.at(-1);
    for (const next of flows.find((flow) => flow.name === last)?.after ?? []) {
      if (next === name) return [...way, next];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  return undefined;
}
