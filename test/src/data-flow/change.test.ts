import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ContractViolation } from '../../../src/contract/violation.js';
import type { FlowRecord } from '../../../src/data-flow/catalog.js';
import { checkChange, checkRange } from '../../../src/data-flow/change.js';
import { compileDataFlow, type CompiledDataFlow } from '../../../src/data-flow/compile.js';
import { defineDataFlow } from '../../../src/data-flow/data-flow.js';
import type { Json } from '../../../src/definition/json.js';

const now = new Date();
const RECORD: FlowRecord = {
  id: '1',
  name: 'copy',
  description: null,
  enabled: true,
  runInterval: 60,
  configuration: { path: 'a.csv', limit: 5 },
  heartbeat: true,
  lastRunAt: null,
  lastRunStatus: null,
  cursor: null,
  note: null,
  lastRunSeq: 0,
  seenAt: now,
  backfills: [],
  createdAt: now,
  updatedAt: now,
};

function flow(): CompiledDataFlow {
  const definition = defineDataFlow({
    name: 'copy',
    configuration: z.object({
      path: z.string().default('orders.csv'),
      limit: z.int().min(1).optional(),
    }),
    run: () => undefined,
  });
  const compiled = compileDataFlow({ definition, locate: () => undefined }).flow;
  if (compiled === undefined) throw new Error('the flow was refused');
  return compiled;
}

function violations(change: Readonly<Record<string, Json>>, record = RECORD): readonly string[] {
  try {
    checkChange(change, record, flow());
  } catch (error) {
    if (error instanceof ContractViolation) return error.violations.map(({ path }) => path);
    throw error;
  }
  return [];
}

describe('a change of a flow', () => {
  it('is merged over the configuration that the flow has', () => {
    expect(checkChange({ configuration: { limit: 9 } }, RECORD, flow())).toEqual({
      configuration: { path: 'a.csv', limit: 9 },
    });
  });

  it('takes null for a return to the default, or to none', () => {
    expect(checkChange({ configuration: { path: null, limit: null } }, RECORD, flow())).toEqual({
      configuration: { path: 'orders.csv' },
    });
  });

  it('tells every wrong property by its path', () => {
    expect(violations({ enabled: 'no', run_interval: 0, configuration: 7, schedule: 'x' })).toEqual(
      ['schedule', 'enabled', 'run_interval', 'configuration'],
    );
    expect(violations({ configuration: { limit: 0, pth: 'x' } })).toEqual([
      'configuration.pth',
      'configuration.limit',
    ]);
  });

  it('has no interval where the flow has none', () => {
    expect(violations({ run_interval: 60 }, { ...RECORD, runInterval: null })).toEqual([
      'run_interval',
    ]);
  });

  it.each([1.5, -1, '60', 1e12])('refuses the interval %j', (interval) => {
    expect(violations({ run_interval: interval })).toEqual(['run_interval']);
  });
});

describe('a range of times', () => {
  it('has a start and an end, in this order', () => {
    expect(checkRange({ start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' })).toEqual({
      start: new Date('2026-01-01T00:00:00Z'),
      end: new Date('2026-01-02T00:00:00Z'),
    });
    expect(() => checkRange({ start: '2026-01-02', end: '2026-01-01' })).toThrow(
      "Property 'end' must not be before 'start'",
    );
    expect(() => checkRange({ start: 'soon' })).toThrow(
      /'start' expected a time .*'end' expected a time/,
    );
  });
});
