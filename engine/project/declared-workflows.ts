import { OWN_WORKFLOW_TYPES } from '../../src/definition/name.js';
import type { Problem } from '../../src/definition/problem.js';
import { suggestion } from '../../src/definition/suggestion.js';
import type { Workflow } from '../../src/definition/workflow.js';
import type { ModuleOutline } from './module-bundle.js';
import { shownPath } from './site.js';

/** What of a project its workflow code has to agree with. */
export interface WorkflowSurroundings {
  /** Names. */
  readonly pipelines: ReadonlySet<string>;
  /** The modules of `activities/`; absolute paths. */
  readonly activityFiles: ReadonlySet<string>;
  readonly dir: string;
}

/** Checks that each declared workflow has one function of its name, and that workflow code can be bundled. */
export function checkWorkflows(
  declared: readonly Workflow[],
  outline: ModuleOutline,
  { pipelines, activityFiles, dir }: WorkflowSurroundings,
): readonly Problem[] {
  return [
    ...[...outline.exports].flatMap(([file, names]) =>
      takenNames(shownPath(file, dir), names, pipelines),
    ),
    ...declared.flatMap((workflow) => missingFunction(workflow, outline, dir)),
    ...[...outline.packages].flatMap(([file, packages]) =>
      unfitPackages(shownPath(file, dir), packages),
    ),
    ...[...outline.parts].flatMap(([file, parts]) =>
      parts
        .filter((part) => activityFiles.has(part))
        .map((part) => calledInPlace(shownPath(file, dir), shownPath(part, dir))),
    ),
  ];
}

/** It would run in the sandbox, without retries and without Node. */
function calledInPlace(file: string, activities: string): Problem {
  const message = `imports the code of ${activities}, which runs outside of workflows. Write \`import type\`, and call its functions by proxyActivities.`;
  return { site: { file }, message };
}

/** A worker runs the function that has a workflow type's name, and the plan only where there is none. */
function takenNames(
  file: string,
  exported: readonly string[],
  pipelines: ReadonlySet<string>,
): readonly Problem[] {
  return exported
    .filter((name) => pipelines.has(name) || OWN_WORKFLOW_TYPES.includes(name))
    .map((name) => ({
      site: { file },
      message: `exports "${name}", which is the name of ${pipelines.has(name) ? 'a pipeline' : 'a workflow of Millrace'}: it would run in its place. Rename the function.`,
    }));
}

function missingFunction(
  { name, site }: Workflow,
  { exports }: ModuleOutline,
  dir: string,
): readonly Problem[] {
  const at = { ...(site !== undefined && { site }), definition: name };
  const files = [...exports]
    .filter(([, names]) => names.includes(name))
    .map(([file]) => shownPath(file, dir));
  if (files.length === 1) return [];
  if (files.length > 1) {
    return [
      {
        ...at,
        message: `workflow "${name}": ${files.join(' and ')} both export it. Keep one of them.`,
      },
    ];
  }
  const known = [...new Set([...exports.values()].flat())].filter((other) => other !== 'default');
  const message = `workflow "${name}": no file in workflows/ exports a function of that name.${suggestion(name, known)}`;
  return [{ ...at, message }];
}

function unfitPackages(file: string, packages: readonly string[]): readonly Problem[] {
  const imports = (name: string): boolean =>
    packages.some((path) => path === name || path === import.meta.resolve(name));
  const because =
    'its code runs in a sandbox of its own. Move definitions to a file that ends in .contract.ts, and import types only.';
  return [
    ...(imports('millrace')
      ? [
          {
            site: { file },
            message: `imports "millrace", which workflow code cannot: ${because} What workflow code can call is in "millrace/workflow".`,
          },
        ]
      : []),
    ...(imports('zod')
      ? [
          {
            site: { file },
            severity: 'warning' as const,
            message: `imports "zod", which makes workers slow and large: ${because}`,
          },
        ]
      : []),
  ];
}
