import path from 'node:path';
import js from '@eslint/js';
import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

const ROOT = import.meta.dirname;

/**
 * The house: which of our folders each folder may import besides itself. Whatever is not listed here
 * is refused, the repository's own root included, so a new folder needs a line of its own.
 */
const MAY_IMPORT = {
  src: [],
  workflows: ['src', 'activities'], // activities by `import type` only: WORKFLOW_IMPORTS below
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

/** What is not part of the package: a user's view (by the name `millrace`), or a tool of ours. */
const BESIDE_THE_PACKAGE = {
  bench: Object.keys(MAY_IMPORT),
  docs: [],
  examples: [],
};

/**
 * `src/index.ts` is the public surface and nothing else: it alone may re-export the outer folders. Not `worker`, whose native
 * code who defines operations has no use for: `millrace/worker` is a surface of its own, and so is `millrace/testing`.
 */
const PUBLIC_SURFACE = 'src/index.ts';
const PUBLIC_SURFACE_MAY_IMPORT = ['activities', 'engine', 'server'];
const PUBLIC_SURFACES = [
  PUBLIC_SURFACE,
  'worker/index.ts',
  'testing/index.ts',
  'adapters/connector/index.ts',
  'adapters/record-store/index.ts',
  'script/index.ts',
  'generator/index.ts',
];

/** Packages that neither touch the world nor read a clock; `src` may import these and no others. */
const PURE_PACKAGES = [
  '@noble/hashes',
  'ajv',
  'croner',
  'fastest-levenshtein',
  'ipaddr.js',
  'ms',
  'mustache',
  'zod',
];

/** What workflow code may import by value; zod and ajv are left out: schemas exhaust the isolate. */
const WORKFLOW_PACKAGES = [
  '@temporalio/common',
  '@temporalio/workflow',
  ...PURE_PACKAGES.filter((name) => !['zod', 'ajv', 'croner'].includes(name)),
];

const FILES = (folder) => `${folder}/**/*.ts`;
const PRODUCT = Object.keys(MAY_IMPORT).map(FILES);

/**
 * Resolves relative imports by their text alone, so that a direction is refused even while the
 * imported file does not exist yet; packages are left to the resolver after this one.
 */
const relativeResolver = {
  interfaceVersion: 3,
  name: 'millrace:relative',
  resolve: (specifier, importer) =>
    /^\.{1,2}(\/|$)/.test(specifier)
      ? {
          found: true,
          path: path.resolve(path.dirname(importer), specifier).replace(/\.js$/, '.ts'),
        }
      : { found: false },
};

const directions = (files, folder, allowed) => ({
  files,
  rules: {
    'import-x/no-restricted-paths': [
      'error',
      {
        basePath: ROOT,
        zones: [
          {
            target: '.',
            from: '.',
            except: ['node_modules', folder, ...allowed],
            message: `${folder}/ may import ${allowed.length > 0 ? allowed.join(', ') : 'nothing of ours'}: see "The house" in ARCHITECTURE.md.`,
          },
          ...PUBLIC_SURFACES.map((surface) => ({
            target: '.',
            from: surface,
            message: `${surface} is for users of the package; import the file that defines the name.`,
          })),
        ],
      },
    ],
  },
});

const SELF_IMPORT = {
  regex: '^millrace(/|$)',
  message: 'The package does not import itself; import the file that defines the name.',
};

const anyPackageBut = (names, temporalTypes) => {
  const escaped = names.map((name) => name.replaceAll(/[./]/g, '\\$&')).join('|');
  const except = temporalTypes ? `${escaped}|@temporalio\\/[^/]+` : escaped;
  return `^(?!\\.{1,2}(/|$)|(?:${except})(?:/|$))`;
};

const SRC_IMPORTS = [
  SELF_IMPORT,
  {
    regex: anyPackageBut(PURE_PACKAGES, true),
    message:
      'src/ is pure: no Node built-ins, no I/O, no clock. A package that is pure too goes into PURE_PACKAGES in eslint.config.js.',
  },
  {
    regex: '^@temporalio/',
    allowTypeImports: true,
    message: 'src/ knows Temporal by `import type` only.',
  },
];

const WORKFLOW_IMPORTS = [
  SELF_IMPORT,
  {
    regex: '^(\\.\\.?/)+activities/',
    allowTypeImports: true,
    message: 'Workflows know activities by `import type` only; their code runs in another process.',
  },
  {
    regex: anyPackageBut(WORKFLOW_PACKAGES, false),
    allowTypeImports: true,
    message:
      'Workflow code runs in a sandbox without Node; a package that is pure and small goes into WORKFLOW_PACKAGES in eslint.config.js.',
  },
];

const NO_REEXPORT_OF_ALL = {
  selector: 'ExportAllDeclaration[exported=null]',
  message: 'Name what you export: `export *` hides where a name comes from.',
};

const NO_DYNAMIC_IMPORT = {
  selector: 'ImportExpression',
  message: 'Import at the top: a dynamic import escapes the import directions of this folder.',
};

const NO_CLOCK = {
  selector:
    ':matches(NewExpression, CallExpression)[callee.name="Date"][arguments.length=0], MemberExpression[object.name="Date"][property.name="now"]',
  message: 'src/ reads no clock: take the time as an argument.',
};

const NO_RANDOM = {
  selector:
    'MemberExpression[object.name="Math"][property.name="random"], MemberExpression[object.name="crypto"]',
  message: 'src/ is deterministic: take the random value as an argument.',
};

const IMPURE_GLOBALS = [
  'Buffer',
  'clearInterval',
  'clearTimeout',
  'console',
  'fetch',
  'global',
  'globalThis',
  'navigator',
  'performance',
  'process',
  'queueMicrotask',
  'require',
  'setImmediate',
  'setInterval',
  'setTimeout',
];

export default tseslint.config(
  {
    name: 'millrace/ignored',
    ignores: ['**/dist/', '**/coverage/', '**/.millrace/', '**/node_modules/'],
  },
  {
    name: 'millrace/all-files',
    extends: [js.configs.recommended],
    plugins: { 'import-x': importX },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    settings: {
      'import-x/core-modules': [
        'millrace',
        'millrace/workflow',
        'millrace/connectors',
        'millrace/records',
        'millrace/script',
        'millrace/prometheus',
        'millrace/opentelemetry',
        'millrace/testing',
        'millrace/generator',
      ],
      'import-x/resolver-next': [
        relativeResolver,
        createNodeResolver({ conditionNames: ['types', 'node', 'import', 'require', 'default'] }),
      ],
    },
    rules: {
      'import-x/no-default-export': 'error',
      'import-x/no-extraneous-dependencies': ['error', { devDependencies: true }],
      'no-restricted-syntax': ['error', NO_REEXPORT_OF_ALL],
      'max-lines': ['error', { max: 350, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-console': 'error',
      'object-shorthand': 'error',
    },
  },
  {
    name: 'millrace/typescript',
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: ROOT } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      // A `default` is a decision the author made in writing; without one every member must be listed.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `Record<never, never>` is how a type argument says "no properties".
      '@typescript-eslint/no-generated-empty-object-type': 'off',
      // An implementation of an asynchronous port is `async` so that it rejects and never throws.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    name: 'millrace/product',
    files: PRODUCT,
    rules: {
      'import-x/no-extraneous-dependencies': ['error', { devDependencies: false }],
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [SELF_IMPORT] }],
    },
  },
  ...Object.entries({ ...MAY_IMPORT, ...BESIDE_THE_PACKAGE }).map(([folder, allowed]) => ({
    name: `millrace/directions/${folder}`,
    ...directions([FILES(folder)], folder, allowed),
  })),
  {
    name: 'millrace/directions/public-surface',
    ...directions([PUBLIC_SURFACE], 'src', PUBLIC_SURFACE_MAY_IMPORT),
  },
  {
    name: 'millrace/src-is-pure',
    files: [FILES('src')],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: SRC_IMPORTS }],
      'no-restricted-globals': [
        'error',
        ...IMPURE_GLOBALS.map((name) => ({
          name,
          message: 'src/ is pure: pass in what it needs.',
        })),
      ],
      'no-restricted-syntax': ['error', NO_REEXPORT_OF_ALL, NO_DYNAMIC_IMPORT, NO_CLOCK, NO_RANDOM],
    },
  },
  {
    name: 'millrace/workflows-are-sandboxed',
    files: [FILES('workflows')],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: WORKFLOW_IMPORTS }],
      'no-restricted-syntax': ['error', NO_REEXPORT_OF_ALL, NO_DYNAMIC_IMPORT],
    },
  },
  {
    name: 'millrace/required-default-exports',
    // Config loaders, the SDK's dynamic workflow, jest's reporters and its global set-up look for `default`.
    files: [
      '**/*.config.{js,ts}',
      'workflows/index.ts',
      'test/support/summary-reporter.js',
      'test/support/global-*.mjs',
      'test/**/fixtures/**',
    ],
    rules: { 'import-x/no-default-export': 'off' },
  },
  {
    name: 'millrace/talks-to-the-terminal',
    files: ['cli/**', 'bench/**', 'examples/**', 'docs/**', 'test/replay/*.mjs'],
    rules: { 'no-console': 'off' },
  },
  {
    name: 'millrace/tests',
    files: ['test/**'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    name: 'millrace/tests-of-examples',
    files: ['examples/*/test/**'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', name: 'test', package: 'node:test' }] },
      ],
    },
  },
  {
    name: 'millrace/javascript',
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        setTimeout: 'readonly',
        URL: 'readonly',
      },
    },
  },
);
