import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const REPOSITORY = path.resolve(import.meta.dirname, '../..');

/** The rules that make up the house; the others need files that exist, which these texts are not. */
const ARCHITECTURE_RULES: ReadonlySet<string> = new Set([
  '@typescript-eslint/no-restricted-imports',
  'import-x/no-default-export',
  'import-x/no-extraneous-dependencies',
  'import-x/no-restricted-paths',
  'no-restricted-globals',
  'no-restricted-syntax',
]);

let eslint: ESLint;

beforeAll(() => {
  eslint = new ESLint({
    cwd: REPOSITORY,
    ruleFilter: ({ ruleId }) => ARCHITECTURE_RULES.has(ruleId),
    overrideConfig: [{ files: ['**/*.ts'], ...tseslint.configs.disableTypeChecked }],
  });
});

async function rulesBroken(filePath: string, code: string): Promise<string[]> {
  const results = await eslint.lintText(code, { filePath: path.join(REPOSITORY, filePath) });
  const messages = results.flatMap((result) => result.messages);
  const unreadable = messages.find((message) => message.fatal === true || message.ruleId === null);
  if (unreadable !== undefined) throw new Error(`${filePath}: ${unreadable.message}`);
  return [...new Set(messages.map((message) => message.ruleId ?? ''))];
}

const FOLDERS = [
  'src',
  'workflows',
  'activities',
  'adapters',
  'engine',
  'generator',
  'worker',
  'server',
  'testing',
  'cli',
  'script',
  'bench',
  'examples',
  'test',
] as const;
type Folder = (typeof FOLDERS)[number];

/** The house of ARCHITECTURE.md, written a second time on purpose: the rule is checked against it. */
const HOUSE: Readonly<Record<string, readonly Folder[]>> = {
  src: [],
  workflows: ['src'],
  activities: ['src', 'adapters'],
  adapters: ['src'],
  engine: ['src', 'adapters'],
  generator: ['src', 'engine'],
  worker: ['src', 'workflows', 'activities', 'adapters', 'engine'],
  server: ['src', 'workflows', 'activities', 'adapters', 'engine'],
  testing: ['src', 'workflows', 'activities', 'adapters', 'engine', 'worker'],
  cli: ['src', 'workflows', 'activities', 'adapters', 'engine', 'generator', 'worker', 'server'],
  script: ['src', 'workflows', 'activities', 'adapters', 'engine', 'worker', 'cli'],
};

describe.each(Object.entries(HOUSE))('%s', (importer, allowed) => {
  it.each(FOLDERS.filter((folder) => folder === importer || allowed.includes(folder)))(
    'may import %s',
    async (folder) => {
      const code = `export { it } from '../../${folder}/of/something.js';`;
      expect(await rulesBroken(`${importer}/some/file.ts`, code)).toEqual([]);
    },
  );

  it.each(FOLDERS.filter((folder) => folder !== importer && !allowed.includes(folder)))(
    'may not import %s',
    async (folder) => {
      const forms = [
        `export { it } from '../../${folder}/of/something.js';`,
        `import { it } from '../../${folder}/of/something.js';\nit();`,
        `import '../../${folder}/of/something.js';`,
      ];
      for (const code of forms) {
        expect(await rulesBroken(`${importer}/some/file.ts`, code)).not.toEqual([]);
      }
    },
  );

  it('may not slip through a dynamic import or a type', async () => {
    const forms = [
      "export const it = () => import('../test/support/temporal.js');",
      "import type { It } from '../test/support/temporal.js';\nexport type That = It;",
    ];
    for (const code of forms) {
      expect(await rulesBroken(`${importer}/file.ts`, code)).toContain(
        'import-x/no-restricted-paths',
      );
    }
  });

  it('may not import the package by its own name or by its public surface', async () => {
    expect(await rulesBroken(`${importer}/file.ts`, "import 'millrace';")).not.toEqual([]);
    expect(await rulesBroken(`${importer}/file.ts`, "import '../src/index.js';")).not.toEqual([]);
  });

  it('may not import the surfaces of the worker and of testing', async () => {
    for (const folder of ['worker', 'testing']) {
      const code = `import '../${folder}/index.js';`;
      expect(await rulesBroken(`${importer}/file.ts`, code)).not.toEqual([]);
    }
  });

  it('may not import a development dependency', async () => {
    expect(await rulesBroken(`${importer}/file.ts`, "import 'fast-check';")).not.toEqual([]);
  });
});

describe('the public surface', () => {
  it.each(['activities', 'engine', 'server'])('may re-export from %s', async (folder) => {
    const code = `export { it } from '../${folder}/something.js';`;
    expect(await rulesBroken('src/index.ts', code)).toEqual([]);
  });

  it.each(['workflows', 'adapters', 'worker', 'testing', 'cli', 'test'])(
    'may not re-export from %s',
    async (folder) => {
      const code = `export { it } from '../${folder}/something.js';`;
      expect(await rulesBroken('src/index.ts', code)).toEqual(['import-x/no-restricted-paths']);
    },
  );

  it('may not export everything of a file at once', async () => {
    const code = "export * from './pipeline/plan.js';";
    expect(await rulesBroken('src/index.ts', code)).toEqual(['no-restricted-syntax']);
  });
});

describe('src is pure', () => {
  it.each([
    ['a Node built-in', "import { readFile } from 'node:fs/promises';\nvoid readFile;"],
    ['a Node built-in without its prefix', "import { readFile } from 'fs';\nvoid readFile;"],
    [
      'the type of a Node built-in',
      "import type { Stats } from 'node:fs';\nexport type S = Stats;",
    ],
    ['a package that does I/O', "import Koa from 'koa';\nvoid Koa;"],
    [
      'a value of Temporal',
      "import { ApplicationFailure } from '@temporalio/common';\nvoid ApplicationFailure;",
    ],
    [
      'an inline type of Temporal, which keeps the import',
      "import { type Duration, msToTs } from '@temporalio/common';\nvoid msToTs;\nexport type D = Duration;",
    ],
    ['the clock', 'export const now = () => Date.now();'],
    ['the clock in an object', 'export const now = () => new Date();'],
    ['randomness', 'export const dice = () => Math.random();'],
    ['the process', "export const home = process.env['HOME'];"],
    ['the network', "export const load = () => fetch('http://127.0.0.1');"],
    ['a timer', 'setTimeout(() => undefined, 1);'],
    ['a dynamic import', "export const load = () => import('zod');"],
  ])('and may not use %s', async (_what, code) => {
    expect(await rulesBroken('src/some/file.ts', code)).not.toEqual([]);
  });

  it.each([
    [
      'a type of Temporal',
      "import type { Duration } from '@temporalio/common';\nexport type D = Duration;",
    ],
    ['zod', "import { z } from 'zod';\nexport const text = z.string();"],
    [
      'a subpath of a pure package',
      "import { sha256 } from '@noble/hashes/sha2.js';\nexport const hash = sha256;",
    ],
    ['a date that it was given', 'export const day = (ms: number) => new Date(ms).toISOString();'],
  ])('and may use %s', async (_what, code) => {
    expect(await rulesBroken('src/some/file.ts', code)).toEqual([]);
  });
});

describe('workflow code', () => {
  it('may know activities by their types only', async () => {
    const types =
      "import type * as activities from '../activities/create-activities.js';\nexport type A = typeof activities;";
    const values =
      "import { createActivities } from '../activities/create-activities.js';\nvoid createActivities;";
    expect(await rulesBroken('workflows/pipeline.ts', types)).toEqual([]);
    expect(await rulesBroken('workflows/pipeline.ts', values)).toEqual([
      '@typescript-eslint/no-restricted-imports',
    ]);
  });

  it.each(['zod', 'node:fs', 'koa', '@temporalio/client', '@temporalio/activity'])(
    'may not import %s',
    async (name) => {
      expect(await rulesBroken('workflows/pipeline.ts', `import '${name}';`)).toEqual([
        '@typescript-eslint/no-restricted-imports',
      ]);
    },
  );

  it('may import what the Temporal SDK has for it', async () => {
    const code =
      "import { sleep } from '@temporalio/workflow';\nimport { ApplicationFailure } from '@temporalio/common';\nvoid [sleep, ApplicationFailure];";
    expect(await rulesBroken('workflows/pipeline.ts', code)).toEqual([]);
  });
});

describe('a default export', () => {
  const code = 'export default 1;';

  it.each(['src/plan.ts', 'workflows/pipeline.ts', 'server/app.ts', 'test/support/temporal.ts'])(
    'is refused in %s',
    async (file) => {
      expect(await rulesBroken(file, code)).toEqual(['import-x/no-default-export']);
    },
  );

  it.each(['workflows/index.ts', 'jest.config.js', 'examples/quickstart/millrace.config.ts'])(
    'is allowed in %s, where a tool looks for it',
    async (file) => {
      expect(await rulesBroken(file, code)).toEqual([]);
    },
  );
});

describe('what is beside the package', () => {
  it.each(['bench', 'docs', 'examples'])('in %s may not import test', async (folder) => {
    expect(await rulesBroken(`${folder}/a/it.ts`, "import '../../test/support/it.js';")).toEqual([
      'import-x/no-restricted-paths',
    ]);
  });

  it('is a user of the package in examples, who imports it by its name', async () => {
    expect(await rulesBroken('examples/a/it.ts', "import 'millrace';")).toEqual([]);
    expect(await rulesBroken('examples/a/it.ts', "import '../../src/index.js';")).toEqual([
      'import-x/no-restricted-paths',
    ]);
  });

  it('may reach into the package from bench', async () => {
    expect(await rulesBroken('bench/it.ts', "import '../engine/it.js';")).toEqual([]);
  });
});

describe('tests', () => {
  it('may import every folder, development dependencies and the package by its name', async () => {
    const code = [
      ...FOLDERS.map((folder) => `import '../../${folder}/it.js';`),
      "import 'fast-check';",
      "import 'millrace';",
    ].join('\n');
    expect(await rulesBroken('test/some/file.test.ts', code)).toEqual([]);
  });
});
