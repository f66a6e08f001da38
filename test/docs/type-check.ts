import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './page.js';

/** Options of an ordinary strict project that uses Millrace. */
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noUnusedLocals: true,
  isolatedModules: true,
  skipLibCheck: true,
  noEmit: true,
  paths: {
    millrace: [join(ROOT, 'src/index.ts')],
    'millrace/workflow': [join(ROOT, 'workflows/child-pipeline.ts')],
    'millrace/worker': [join(ROOT, 'worker/index.ts')],
    'millrace/testing': [join(ROOT, 'testing/index.ts')],
    'millrace/connectors': [join(ROOT, 'adapters/connector/index.ts')],
    'millrace/records': [join(ROOT, 'adapters/record-store/index.ts')],
    'millrace/script': [join(ROOT, 'script/index.ts')],
    'millrace/prometheus': [join(ROOT, 'adapters/telemetry/prometheus.ts')],
    'millrace/opentelemetry': [join(ROOT, 'adapters/telemetry/open-telemetry.ts')],
    'millrace/generator': [join(ROOT, 'generator/index.ts')],
  },
};

/** Code of browsers, which knows nothing of Node: what lies in a folder of this name. */
const BROWSER = /(?:^|\/)browser\//;

/**
 * Compiles files that exist in memory only, as if they lay in folders of the repository.
 *
 * @param files - by their path in the repository
 * @returns what the compiler says, one a line: `docs/pipelines.md/operations/a.ts:3 …`
 */
export function typeErrors(files: ReadonlyMap<string, string>): readonly string[] {
  const forBrowsers = [...files].filter(([path]) => BROWSER.test(path));
  const forNode = [...files].filter(([path]) => !BROWSER.test(path));
  return [
    ...errorsOf(new Map(forNode), { ...OPTIONS, lib: ['lib.es2023.d.ts'], types: ['node'] }),
    ...errorsOf(new Map(forBrowsers), {
      ...OPTIONS,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      types: [],
    }),
  ];
}

function errorsOf(
  files: ReadonlyMap<string, string>,
  options: ts.CompilerOptions,
): readonly string[] {
  const inMemory = new Map([...files].map(([path, text]) => [join(ROOT, path), text]));
  if (inMemory.size === 0) return [];
  const host = ts.createCompilerHost(options);
  host.getCurrentDirectory = () => ROOT;
  host.fileExists = (path) => inMemory.has(path) || ts.sys.fileExists(path);
  host.readFile = (path) => inMemory.get(path) ?? ts.sys.readFile(path);
  // Folders that exist in memory only, which the compiler would not look into otherwise.
  host.directoryExists = (path) => {
    const below = path.endsWith('/') ? path : `${path}/`;
    return (
      ts.sys.directoryExists(path) || [...inMemory.keys()].some((file) => file.startsWith(below))
    );
  };
  const program = ts.createProgram([...inMemory.keys()], options, host);
  // Of these files alone: our own sources, which they import, are checked by `npm run types`.
  const checked = [...inMemory.keys()].map((path) => program.getSourceFile(path));
  return [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...checked.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
  ].map(described);
}

function described({ file, start, messageText }: ts.Diagnostic): string {
  const message = ts.flattenDiagnosticMessageText(messageText, '\n');
  if (file === undefined || start === undefined) return message;
  const { line } = file.getLineAndCharacterOfPosition(start);
  return `${file.fileName.slice(ROOT.length + 1)}:${String(line + 1)} ${message}`;
}
