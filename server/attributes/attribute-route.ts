import type { z } from 'zod';
import type { RequestedAttributeAccess } from '../../src/config/hooks.js';
import type { Json } from '../../src/definition/json.js';
import type { AttributeRequest } from './attribute-request.js';

/** A route of this API: what serves it, and what its description says of it. */
export interface AttributeRoute<Body extends z.ZodType = z.ZodType> {
  readonly method: 'get' | 'post' | 'patch' | 'put' | 'delete';
  /** Below the API's base: `/entity_types/:type`. */
  readonly path: string;
  /** For `router.url()`, and the id of the operation. */
  readonly name: string;
  readonly summary: string;
  readonly access: RequestedAttributeAccess['access'];
  /** What its body must be; absent where it has none. */
  readonly body?: Body;
  /** Its query parameters, with what each is for. */
  readonly query?: Readonly<Record<string, string>>;
  /** The form of its answer. */
  readonly answer?: z.ZodType;
  /** 200 unless set; 204 for what answers nothing. */
  readonly status?: number;
  /** True where a client may wait for the end: `Prefer: wait=10`. The answer is 200 then. */
  readonly waits?: boolean;
  /** The entity types that the request is about, for `authorizeAttributes`, where the path does not tell. */
  readonly entityTypes?: (
    request: AttributeRequest,
    body: z.output<Body>,
  ) => readonly string[] | Promise<readonly string[]>;
  /** What there is now of what was to be edited, where no route of the same path gets it. */
  readonly shows?: (request: AttributeRequest) => Promise<Json>;
  /** @returns the body of the answer; undefined where the handler has answered itself */
  readonly handler: (
    request: AttributeRequest,
    body: z.output<Body>,
  ) => Promise<Json | undefined> | Json | undefined;
}

/** A route, with the type of its body known to its handler. */
export function route<Body extends z.ZodType>(of: AttributeRoute<Body>): AttributeRoute {
  // The schema stands between: a handler only gets what it has let through.
  return of;
}
