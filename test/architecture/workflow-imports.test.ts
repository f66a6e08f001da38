import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PRELOADED_MODULES } from '../../worker/workflow-bundle.js';
import { findForbiddenWorkflowImports, loadedWith } from './import-graph.js';

const REPOSITORY = path.resolve(import.meta.dirname, '../..');

describe('what workflow code loads', () => {
  it('is free of zod, Node built-ins and every folder but src and workflows', () => {
    const { filesVisited, forbidden } = findForbiddenWorkflowImports(REPOSITORY);

    expect(forbidden.map(({ chain, reason }) => `${chain.join(' -> ')}: ${reason}`)).toEqual([]);
    expect(filesVisited).toBeGreaterThan(1);
  });
});

describe('what workflow code loads once for all runs of a worker', () => {
  it('is without the module of child pipelines, which keeps state of a run', () => {
    const preloaded = PRELOADED_MODULES.map((file) => path.relative(REPOSITORY, file));
    const loaded = loadedWith(REPOSITORY, preloaded);

    expect(loaded).toContain('workflows/pipeline.ts');
    expect(loaded).toContain('workflows/command-budget.ts');
    expect(loaded).not.toContain('workflows/child-pipeline.ts');
  });
});

describe('the walk over a tree that breaks the rule', () => {
  const roots: string[] = [];

  function tree(files: Readonly<Record<string, string>>): string {
    const root = mkdtempSync(path.join(tmpdir(), 'millrace-imports-'));
    roots.push(root);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
    }
    return root;
  }

  function forbiddenIn(files: Readonly<Record<string, string>>): unknown {
    return findForbiddenWorkflowImports(tree(files)).forbidden;
  }

  afterEach(() => {
    for (const root of roots.splice(0)) rmSync(root, { recursive: true });
  });

  it('names the whole chain from the workflow to zod', () => {
    expect(
      forbiddenIn({
        'workflows/pipeline.ts': "import { plan } from '../src/plan.js';\nplan();",
        'src/plan.ts': "export { contract as plan } from './contract/contract.js';",
        'src/contract/contract.ts': "import { z } from 'zod';\nexport const contract = z.string;",
      }),
    ).toEqual([
      {
        chain: ['workflows/pipeline.ts', 'src/plan.ts', 'src/contract/contract.ts', 'zod'],
        reason: 'the package zod',
      },
    ]);
  });

  it('sees a subpath of zod, an import for its side effect and a dynamic import', () => {
    expect(
      forbiddenIn({
        'workflows/a.ts': "import * as z from 'zod/v4';\nz;",
        'workflows/b.ts': "import 'zod';",
        'workflows/deep/c.ts': "export const load = () => import('zod');",
      }),
    ).toEqual([
      { chain: ['workflows/a.ts', 'zod/v4'], reason: 'the package zod' },
      { chain: ['workflows/b.ts', 'zod'], reason: 'the package zod' },
      { chain: ['workflows/deep/c.ts', 'zod'], reason: 'the package zod' },
    ]);
  });

  it('refuses Node built-ins with and without their prefix', () => {
    expect(
      forbiddenIn({
        'workflows/a.ts': "import { readFileSync } from 'node:fs';\nreadFileSync;",
        'workflows/b.ts': "import path from 'path';\npath;",
      }),
    ).toEqual([
      { chain: ['workflows/a.ts', 'node:fs'], reason: 'a Node built-in' },
      { chain: ['workflows/b.ts', 'path'], reason: 'a Node built-in' },
    ]);
  });

  it('refuses a file of another folder, also when src leads there', () => {
    expect(
      forbiddenIn({
        'workflows/a.ts': "import '../src/model.js';",
        'src/model.ts': "export { connect } from '../engine/connect.js';",
        'engine/connect.ts': 'export const connect = 1;',
      }),
    ).toEqual([
      {
        chain: ['workflows/a.ts', 'src/model.ts', '../engine/connect.js'],
        reason: 'a file outside src/ and workflows/',
      },
    ]);
  });

  it('refuses what it cannot follow', () => {
    expect(forbiddenIn({ 'workflows/a.ts': "import './gone.js';" })).toEqual([
      { chain: ['workflows/a.ts', './gone.js'], reason: 'a file that does not exist' },
    ]);
  });

  it('counts an import of nothing but inline types, which the compiler keeps', () => {
    expect(
      forbiddenIn({
        'workflows/a.ts': "import { type ZodType } from 'zod';\nexport type T = ZodType;",
      }),
    ).toEqual([{ chain: ['workflows/a.ts', 'zod'], reason: 'the package zod' }]);
  });

  it('lets type imports, other packages and cycles pass', () => {
    expect(
      forbiddenIn({
        'workflows/a.ts': [
          "import type { ZodType } from 'zod';",
          "import type * as activities from '../activities/create-activities.js';",
          "import { proxyActivities } from '@temporalio/workflow';",
          "import { one } from '../src/one.js';",
          "export type { Stats } from 'node:fs';",
          'export const b = [proxyActivities<typeof activities>, one];',
          'export type T = ZodType;',
        ].join('\n'),
        'src/one.ts': "import { two } from './two.js';\nexport const one = () => two;",
        'src/two.ts': "import { one } from './one.js';\nexport const two = () => one;",
      }),
    ).toEqual([]);
  });
});
