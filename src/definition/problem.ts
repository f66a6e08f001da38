/** Where something is written: a file, and the line and column (both from 1) where they are known. */
export interface Site {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** One thing that is wrong with the definitions, found while they are loaded. */
export interface Problem {
  readonly site?: Site;
  /** The definition it was found in, such as `summarize`. */
  readonly definition?: string;
  /** What is wrong and how to mend it, in one or two sentences. */
  readonly message: string;
  /** An error keeps the definitions from loading; a warning is printed. Absent means error. */
  readonly severity?: 'error' | 'warning';
}

/** The definitions could not be loaded. Carries every problem that was found, not only the first. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
  }
}

/** One problem as one line: `pipelines/report.yml:6:19  stage "count": unknown operation type "x".` */
export function formatProblem(problem: Problem): string {
  const place = problem.site === undefined ? undefined : formatSite(problem.site);
  const head = [place, problem.severity === 'warning' ? 'warning:' : undefined]
    .filter((part) => part !== undefined)
    .join('  ');
  return head === '' ? problem.message : `${head}  ${problem.message}`;
}

function formatSite(site: Site): string {
  return [site.file, site.line, site.column].filter((part) => part !== undefined).join(':');
}
