import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BUILT_IN_SINKS, BUILT_IN_SOURCES } from '../../../adapters/connector/catalog.js';
import { contentHash } from '../../../adapters/connector/content-hash.js';
import { bundleProgram } from '../../support/bundled-program.js';

describe('the connectors that come with the package', () => {
  it('have the names that YAML uses', () => {
    const names = ['csv', 'ndjson', 'sql', 'http', 'entities'];
    expect(BUILT_IN_SOURCES.map(({ connectorName }) => connectorName)).toEqual(names);
    expect(BUILT_IN_SINKS.map(({ connectorName }) => connectorName)).toEqual(names);
  });

  it('describe each of their options', () => {
    for (const { connectorName, options } of [...BUILT_IN_SOURCES, ...BUILT_IN_SINKS]) {
      for (const [name, schema] of Object.entries(options.shape)) {
        const { description } = schema as { readonly description?: string };
        expect([connectorName, name, description]).toEqual([
          connectorName,
          name,
          expect.any(String),
        ]);
      }
    }
  });

  it('load no driver of a database before they are opened', async () => {
    const entry = fileURLToPath(new URL('../../../adapters/connector/catalog.ts', import.meta.url));
    const program = await bundleProgram(entry);
    const run = promisify(execFile);
    const code = `
      const { default: module } = await import('node:module');
      await import(${JSON.stringify(program.path)});
      console.log(Object.keys(module._cache).filter((path) => /(pg|better-sqlite3)/.test(path)).length);`;
    try {
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code]);
      expect(stdout.trim()).toBe('0');
    } finally {
      await program.remove();
    }
  });
});

describe('contentHash', () => {
  it('is the same for the same content, whatever the order of the properties', () => {
    const hash = contentHash({ a: 1, b: { c: [new Date(0), null], d: 'ü' } });
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(contentHash({ b: { d: 'ü', c: ['1970-01-01T00:00:00.000Z', null] }, a: 1 })).toBe(hash);
    expect(contentHash({ a: 2, b: { c: [new Date(0), null], d: 'ü' } })).not.toBe(hash);
    expect(contentHash({ a: { b: 2n ** 60n } })).toBe(contentHash({ a: { b: String(2n ** 60n) } }));
  });
});
