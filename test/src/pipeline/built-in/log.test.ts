import { describe, expect, it } from '@jest/globals';
import { log, LOG_LIMITS } from '../../../../src/pipeline/built-in/log.js';
import {
  compileOperation,
  operationRecord,
  problemsOf,
  runOperation,
} from '../../../support/run-operation.js';

describe('log', () => {
  it('writes a line with the fields of each namespace, and lets it through', async () => {
    const record = operationRecord();
    const options = { message: 'counted', fields: ['words', 'missing'], level: 'warn' };
    const namespaces = [{ words: 3, text: 'a b c' }, { words: null }];

    expect(await runOperation(log, { options, namespaces, record })).toEqual(namespaces);
    expect(record.lines).toEqual([
      { level: 'warn', fields: { words: 3 }, message: 'counted' },
      { level: 'warn', fields: { words: null }, message: 'counted' },
    ]);
  });

  it('needs no options', async () => {
    const record = operationRecord();

    await runOperation(log, { namespaces: [{ a: 1 }], record });

    expect(record.lines).toEqual([{ level: 'info', fields: {}, message: 'namespace' }]);
  });

  it('shortens long values', async () => {
    const record = operationRecord();
    const text = 'x'.repeat(LOG_LIMITS.maxFieldCharacters + 1);

    await runOperation(log, { options: { fields: ['text'] }, namespaces: [{ text }], record });

    expect(record.lines[0]?.fields).toEqual({ text: `${text.slice(1)}… (1001 characters)` });
  });

  it('does not make its fields a required input', () => {
    expect(
      compileOperation(log, { options: { fields: ['words'] } }).pipeline?.inputSchema,
    ).not.toHaveProperty('required');
  });

  it('refuses an unknown level at load', () => {
    expect(problemsOf(log, { options: { level: 'loud' } })).toEqual([
      expect.stringContaining('expected one of "debug", "info", "warn", "error"'),
    ]);
  });
});
