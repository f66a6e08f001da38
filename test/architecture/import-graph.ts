import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import ts from 'typescript';

/** One way from a workflow file to something that workflow code must not load. */
export interface ForbiddenImport {
  /** Files relative to the root, outermost first, ending with the specifier that is refused. */
  readonly chain: readonly string[];
  /** Why the last link is refused. */
  readonly reason: string;
}

/** What {@link findForbiddenWorkflowImports} saw; the count lets a test notice an empty walk. */
export interface WorkflowImportReport {
  readonly filesVisited: number;
  readonly forbidden: readonly ForbiddenImport[];
}

const WORKFLOW_FOLDER = 'workflows';
const ALLOWED_FOLDERS: readonly string[] = ['src', WORKFLOW_FOLDER];
const FORBIDDEN_PACKAGES: readonly string[] = ['zod'];

/**
 * Walks everything that the workflow bundle would load of the tree under `root`, beginning with each
 * `workflows/**\/*.ts`, and lists the ways that lead to zod, to a Node built-in, to a folder other than
 * `src/` and `workflows/`, or to a file that does not exist. Each file is visited once, so each forbidden
 * import is listed once, with a shortest chain that reaches it.
 *
 * @param root absolute path of the folder that holds `workflows/` and `src/`
 */
export function findForbiddenWorkflowImports(root: string): WorkflowImportReport {
  const queue = workflowFiles(root).map((file) => [file]);
  const visited = new Set(queue.flat());
  const forbidden: ForbiddenImport[] = [];
  for (let chain = queue.shift(); chain !== undefined; chain = queue.shift()) {
    const importer = chain.at(-1) ?? '';
    for (const specifier of valueImports(path.join(root, importer))) {
      const target = localTarget(importer, specifier);
      const reason =
        target === undefined ? reasonAgainstPackage(specifier) : reasonAgainstFile(root, target);
      if (reason !== undefined) {
        forbidden.push({ chain: [...chain, specifier], reason });
      } else if (target !== undefined && !visited.has(target)) {
        visited.add(target);
        queue.push([...chain, target]);
      }
    }
  }
  return { filesVisited: visited.size, forbidden };
}

/**
 * The files that are loaded with some others, themselves included.
 *
 * @param files - relative to the root, as are the files that are returned
 */
export function loadedWith(root: string, files: readonly string[]): readonly string[] {
  const loaded = new Set(files);
  // A set's iteration also visits what is added during it.
  for (const importer of loaded) {
    for (const specifier of valueImports(path.join(root, importer))) {
      const target = localTarget(importer, specifier);
      if (target !== undefined) loaded.add(target);
    }
  }
  return [...loaded];
}

function workflowFiles(root: string): string[] {
  return readdirSync(path.join(root, WORKFLOW_FOLDER), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.posix.join(WORKFLOW_FOLDER, file.split(path.sep).join('/')));
}

function localTarget(importer: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return path.posix.join(path.posix.dirname(importer), specifier).replace(/\.js$/, '.ts');
}

function reasonAgainstPackage(specifier: string): string | undefined {
  if (isBuiltin(specifier)) return 'a Node built-in';
  const name = FORBIDDEN_PACKAGES.find((it) => specifier === it || specifier.startsWith(`${it}/`));
  return name === undefined ? undefined : `the package ${name}`;
}

function reasonAgainstFile(root: string, target: string): string | undefined {
  const folder = target.split('/')[0] ?? '';
  if (!ALLOWED_FOLDERS.includes(folder)) return `a file outside ${ALLOWED_FOLDERS.join('/ and ')}/`;
  return existsSync(path.join(root, target)) ? undefined : 'a file that does not exist';
}

/**
 * The specifiers that are still imported once types are erased. `import { type A }` counts: under
 * `verbatimModuleSyntax` only `import type` disappears as a whole.
 */
function valueImports(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  const specifiers: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = valueSpecifier(node);
    if (specifier !== undefined && ts.isStringLiteralLike(specifier))
      specifiers.push(specifier.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return specifiers;
}

function valueSpecifier(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node)) {
    const isType = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return isType ? undefined : node.moduleSpecifier;
  }
  if (ts.isExportDeclaration(node)) return node.isTypeOnly ? undefined : node.moduleSpecifier;
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
    return node.isTypeOnly ? undefined : node.moduleReference.expression;
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return node.arguments[0];
  }
  return undefined;
}
