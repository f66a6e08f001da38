import type { Context } from 'koa';

/** Answers a request. */
export type Handler = (ctx: Context) => Promise<void> | void;

/** Does one thing around what answers a request. */
export type Around = (ctx: Context, next: () => Promise<void>) => Promise<void>;

/** A handler within middleware, the first outermost. */
export function within(
  around: readonly Around[],
  handler: Handler,
): (ctx: Context) => Promise<void> {
  return around.reduceRight<(ctx: Context) => Promise<void>>(
    (inner, outer) => (ctx) => outer(ctx, () => inner(ctx)),
    async (ctx) => {
      await handler(ctx);
    },
  );
}
