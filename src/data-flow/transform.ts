import type { z } from 'zod';
import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { JsonObject } from '../definition/json.js';
import type { Site } from '../definition/problem.js';
import type { ObjectType } from '../pipeline/operation.js';
import type { FlowRequest } from './request.js';
import type { Row } from './row.js';
import type { ConnectorContext } from './source.js';

/** A row becomes another, several, or none: undefined and `[]` leave it out. */
export type Transformed<W extends Row = Row> = W | readonly W[] | undefined;

/** What a transform gets with each row. */
export interface TransformContext<
  R extends Row = Row,
  Options = JsonObject,
> extends ConnectorContext<Options> {
  readonly row: R;
  /** The flow's, as it was when the run began. */
  readonly configuration: JsonObject;
}

/** What {@link defineTransform} takes. */
export interface TransformDefinition<O extends ObjectType, R extends Row, W extends Row> {
  /** What YAML calls it: `class_name: clean-orders`. */
  readonly name: string;
  readonly description?: string;
  readonly options?: O;
  /** An error rejects the row, unless it is one that may pass, such as that of a service which does not answer: throw `retryable`. */
  readonly run: (
    context: TransformContext<R, z.output<O>>,
  ) => Transformed<W> | Promise<Transformed<W>>;
}

/** A transform with its options, as a flow names it. */
export interface TransformUse<W extends Row = Row> {
  readonly transform: TransformConnector<W>;
  readonly options: JsonObject;
}

/** A transform as the registry keeps it, with its types erased. Made by {@link defineTransform}. */
export interface TransformConnector<W extends Row = Row> extends Branded<'transform'> {
  readonly connectorName: string;
  readonly description?: string;
  readonly site?: Site;
  readonly options: ObjectType | undefined;
  readonly run: (
    context: TransformContext<never, never>,
  ) => Transformed<W> | Promise<Transformed<W>>;
}

/** A transform that can be called with its options. */
export type Transform<
  O extends ObjectType = ObjectType,
  W extends Row = Row,
> = TransformConnector<W> & ((options?: z.input<O>) => TransformUse<W>);

/**
 * Defines a transform that several flows can use, in YAML by its name. A flow in TypeScript may as well have a function.
 *
 * @example
 * ```ts
 * export const trimmed = defineTransform({
 *   name: 'trimmed',
 *   run: ({ row }) => Object.fromEntries(
 *     Object.entries(row).map(([name, value]) => [name, typeof value === 'string' ? value.trim() : value]),
 *   ),
 * });
 * ```
 */
export function defineTransform<
  O extends ObjectType = z.ZodObject<Record<never, never>>,
  R extends Row = Row,
  W extends Row = Row,
>(definition: TransformDefinition<O, R, W>): Transform<O, W> {
  const site = callerSite();
  const use = (options?: z.input<O>): TransformUse<W> => ({
    transform,
    options: (options ?? {}) as JsonObject,
  });
  const transform: Transform<O, W> = Object.assign(use, {
    [DEFINITION]: 'transform' as const,
    connectorName: definition.name,
    ...(definition.description !== undefined && { description: definition.description }),
    options: definition.options,
    // Rows and options are what the flow's contracts and the transform's own schema say.
    run: (context: TransformContext<never, never>) => definition.run(context),
    ...(site !== undefined && { site }),
  });
  return transform;
}

/** A transform that a flow in TypeScript writes as a function of its own, with its types erased. */
export type InlineTransform = (
  context: Pick<TransformContext, 'row' | 'log' | 'signal' | 'services'> & FlowRequest,
) => Transformed | Promise<Transformed>;

/** True for a transform that a flow writes as a function of its own. */
export function isFunctionTransform<F extends (...args: never[]) => unknown>(
  transform: TransformUse | F,
): transform is F {
  return typeof transform === 'function';
}
