import type { Context } from 'koa';

/**
 * The path of a request as its client sees it, wherever the router is mounted, without its last segments. Links in
 * bodies are made of it.
 *
 * @param segments - how many to leave out: 1 turns `/ai/summarize/async` into `/ai/summarize`
 */
export function pathAbove(ctx: Context, segments: number): string {
  // The target may be absolute ("GET http://host/path"), and a client may begin it with several slashes, which would
  // turn a link that is made of it into one to another host.
  const path = ctx.originalUrl
    .replace(/[?#].*$/s, '')
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '')
    .replace(/^\/+/, '/')
    .replace(/\/+$/, '');
  const parts = path.split('/');
  return parts.slice(0, Math.max(1, parts.length - segments)).join('/');
}

/** The one value of a query parameter, or undefined. Repeated, its last value counts. */
export function queryValue(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name];
  return Array.isArray(value) ? value.at(-1) : value;
}
