import { z } from 'zod';
import { namesAt, schemaProblems, type SchemaProblem } from '../config/schema-problems.js';
import { DEFINITION } from '../definition/brand.js';
import { isPlainObject } from '../definition/json.js';
import { nearMiss } from '../definition/suggestion.js';
import type { Pipeline } from './pipeline.js';
import type { Path } from './problem-list.js';

/** What only the compiler can judge: durations, names of strategies. It says so with the place and what is possible. */
const judgedLater = z.unknown().optional();

const retry = z.strictObject({
  maximum_attempts: z.number().optional(),
  initial_interval: judgedLater,
  backoff_coefficient: z.number().optional(),
  maximum_interval: judgedLater,
});

const operation = z.preprocess(
  (written) => (typeof written === 'string' ? { type: written } : written),
  z.strictObject({
    type: z.string().optional(),
    name: z.string().optional(),
    model: z.string().optional(),
    timeout: judgedLater,
    options: z.record(z.string(), z.unknown()).optional(),
    ignore_errors: z.union([z.boolean(), z.array(z.string())]).optional(),
    retry: retry.optional(),
  }),
);

const stage = z.strictObject({
  name: z.string().optional(),
  timeout: judgedLater,
  merge: judgedLater,
  parallel: judgedLater,
  operations: z.array(operation).optional(),
});

const pipelineSchema = z.strictObject({
  name: z.string().optional(),
  description: z.string().optional(),
  timeout: judgedLater,
  merge: judgedLater,
  result: judgedLater,
  stages: z.array(stage).optional(),
});

/** A pipeline as a file has it. */
export interface WrittenPipeline {
  /**
   * What the compiler can look into, to say what else is wrong. Unknown names are read as if each had been written as the
   * name it is nearest to; values of a wrong kind are left out.
   */
  readonly definition: Pipeline;
  /** Places in the definition that were left out. */
  readonly told: readonly Path[];
  readonly problems: readonly SchemaProblem[];
}

/** A pipeline as YAML writes it (`ignore_errors`, `maximum_attempts`), in the form that the compiler takes. */
export function parseWrittenPipeline(value: Readonly<Record<string, unknown>>): WrittenPipeline {
  const problems: SchemaProblem[] = [];
  let written = withoutNulls(value, []);
  for (;;) {
    const parsed = pipelineSchema.safeParse(written);
    if (parsed.success) {
      const told = problems
        .filter(({ unknownName }) => !unknownName)
        .map(({ path }) => codePath(path));
      return { definition: definitionOf(parsed.data), told, problems };
    }
    // What is below a mended name is only looked into after that. Each round leaves fewer wrong places.
    const found = schemaProblems(pipelineSchema, parsed.error, written, 'key');
    problems.push(...found);
    written = found.reduce(
      (rest, problem) => (problem.unknownName ? mend(rest, problem) : leftOut(rest, problem.path)),
      written,
    );
  }
}

/** The name in a definition as YAML writes it. */
export function writtenName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function definitionOf(written: z.output<typeof pipelineSchema>): Pipeline {
  const definition = {
    ...written,
    ...(written.stages !== undefined && {
      stages: written.stages.map((item) => ({
        ...item,
        ...(item.operations !== undefined && { operations: item.operations.map(useOf) }),
      })),
    }),
  };
  // The compiler looks at everything that this type promises and a file may lack.
  return { [DEFINITION]: 'pipeline', ...definition } as unknown as Pipeline;
}

function useOf({
  ignore_errors: ignoreErrors,
  retry: written,
  ...use
}: z.output<typeof operation>): object {
  return {
    ...use,
    ...(ignoreErrors !== undefined && { ignoreErrors }),
    ...(written !== undefined && {
      retry: Object.fromEntries(
        Object.entries(written).map(([name, value]) => [codeName(name), value]),
      ),
    }),
  };
}

function codeName(name: string): string {
  return name.replace(/_([a-z])/g, (_text, letter: string) => letter.toUpperCase());
}

function codePath(path: Path): Path {
  return path.map((part) => (typeof part === 'string' ? codeName(part) : part));
}

/** `timeout:` with nothing behind it sets nothing. Options are an operation's own, and null may mean something to it. */
function withoutNulls(value: unknown, path: Path): unknown {
  if (path.at(-1) === 'options') return value;
  if (Array.isArray(value)) return value.map((item, index) => withoutNulls(item, [...path, index]));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, withoutNulls(member, [...path, name])]),
  );
}

/** A value without what is at a path; in a list, where places count, something empty takes its place. */
function leftOut(value: unknown, [first, ...rest]: Path): unknown {
  if (first === undefined) return {};
  if (Array.isArray(value))
    return value.map((item, index): unknown => (index === first ? leftOut(item, rest) : item));
  if (!isPlainObject(value) || typeof first !== 'string') return {};
  const { [first]: member, ...others } = value;
  return rest.length === 0 ? others : { ...others, [first]: leftOut(member, rest) };
}

function mend(value: unknown, { path }: SchemaProblem): unknown {
  return mendAt(value, path, namesAt(pipelineSchema, path.slice(0, -1)));
}

function mendAt(value: unknown, [first, ...rest]: Path, known: readonly string[]): unknown {
  if (Array.isArray(value))
    return value.map((item, index): unknown =>
      index === first ? mendAt(item, rest, known) : item,
    );
  if (!isPlainObject(value) || typeof first !== 'string') return value;
  if (rest.length > 0) return { ...value, [first]: mendAt(value[first], rest, known) };
  const { [first]: wrong, ...others } = value;
  const meant = nearMiss(first, known);
  return meant === undefined || meant in others ? others : { ...others, [meant]: wrong };
}
