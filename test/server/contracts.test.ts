import { beforeEach, describe, expect, it } from '@jest/globals';
import { post, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

describe('contracts over HTTP', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  let url: string;

  beforeEach(async () => {
    url = `${(await serve(stack.current.engine)).url}/pipelines`;
  });

  describe('violations', () => {
    it('says where in nested lists an input is against the contract', async () => {
      const tagged = { tags: ['a'] };
      const { status, body } = await post(`${url}/tagger`, {
        records: [tagged, tagged, { tags: [null] }],
      });
      expect(status).toBe(422);
      expect(body['error']).toBe("Property 'records[2].tags[0]' expected string, got null");
      const missing = await post(`${url}/tagger`, { records: [{}] });
      expect(missing.body).toMatchObject({
        error: "Property 'records[0].tags' expected array, got undefined",
        violations: [{ path: 'records[0].tags', expected: 'array', got: 'undefined' }],
      });
    });

    it('says where in nested lists an operation is against its contract', async () => {
      const { status, body } = await post(`${url}/tagger`, { records: [], break: true });
      expect(status).toBe(422);
      const message = "Property 'records[1].tags[0]' expected string, got number";
      expect(body).toMatchObject({
        error: message,
        type: 'contract_violation',
        stage: 'only',
        operation: 'tag',
        attempts: 1,
        details: [{ path: 'records[1].tags[0]', message }],
      });
    });
  });

  describe('input properties called like members of every object', () => {
    it('are properties like others', async () => {
      const { body } = await post(`${url}/heir`, { constructor: 'a', toString: 'b', x: 1 });
      expect(body['result']).toEqual({ constructor: 'a', toString: 'b', valueOf: 'a b', x: 1 });
      const { status, body: refused } = await post(`${url}/heir`, { toString: 'b' });
      expect(status).toBe(422);
      expect(refused['error']).toBe("Property 'constructor' expected string, got undefined");
    });

    it('may not be called __proto__, at any depth', async () => {
      const { status, body } = await send(`${url}/heir`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"constructor":"a","toString":"b","list":[{"__proto__":{"admin":true}}],"__proto__":1}',
      });
      expect(status).toBe(422);
      expect(body).toMatchObject({
        type: 'contract_violation',
        violations: [{ path: '__proto__' }, { path: 'list[0].__proto__' }],
      });
      expect(body['error']).toContain(
        "Property '__proto__' is not allowed: no property can be called __proto__",
      );
      expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    });
  });
});
