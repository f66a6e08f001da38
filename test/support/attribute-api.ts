import { expect } from '@jest/globals';
import { ATTRIBUTE_ROUTES } from '../../server/attributes/route-list.js';
import type { AttributeRoute } from '../../server/attributes/attribute-route.js';
import { send, type Answer } from './http-api.js';

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** Calls the API of attributes, and holds each answer to what its description says. */
export class AttributeApi {
  constructor(
    readonly url: string,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  async call(method: Method, path: string, body?: unknown): Promise<Answer> {
    const answer = await send(`${this.url}${path}`, {
      method,
      headers: {
        ...this.headers,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const route = routeOf(method, path);
    if (answer.status < 400 && route !== undefined) {
      expect({ route: route.name, status: answer.status }).toEqual({
        route: route.name,
        status: route.status ?? 200,
      });
      const parsed = route.answer?.safeParse(answer.body);
      expect({ route: route.name, errors: parsed?.error?.issues ?? [] }).toEqual({
        route: route.name,
        errors: [],
      });
    }
    return answer;
  }

  /** The body of an answer that must be a success. */
  async ok(method: Method, path: string, body?: unknown): Promise<Answer['body']> {
    const answer = await this.call(method, path, body);
    if (answer.status >= 400)
      throw new Error(`${method} ${path}: ${String(answer.status)} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  get(path: string): Promise<Answer['body']> {
    return this.ok('GET', path);
  }

  post(path: string, body: unknown = {}): Promise<Answer['body']> {
    return this.ok('POST', path, body);
  }
}

function routeOf(method: Method, path: string): AttributeRoute | undefined {
  const [plain = ''] = path.split('?');
  return ATTRIBUTE_ROUTES.find(
    (route) =>
      route.method === method.toLowerCase() &&
      new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}$`).test(plain),
  );
}
