import type { Command } from 'commander';
import { pipelineName, type AttributePipeline } from '../../src/attribute-pipeline/pipeline.js';
import type { EvalStats } from '../../src/attribute-pipeline/eval-catalog.js';
import { printJson } from '../flows/flow-json.js';
import { formatCount } from '../flows/flow-format.js';
import { formatDuration, formatTable, formatTime } from '../format.js';
import { withAttributes, type OpenAttributes } from './open-attributes.js';

interface ListOptions {
  readonly dir?: string;
  readonly json: boolean;
  readonly type?: string;
}

/** Most pipelines that are read at once. */
const PAGE = 100;

/** Adds `attributes list`: the pipelines, and how their last runs went. */
export function addListCommand(attributes: Command): void {
  attributes
    .command('list')
    .summary('list the pipelines, and how their last runs went')
    .description('Lists the pipelines that compute attributes, with their last runs and evals.')
    .option('--type <entity type>', 'only those of this entity type')
    .option('--json', 'print them as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .action(async ({ dir, json, type }: ListOptions) => {
      const found = await withAttributes(dir, (open) => listed(open, type));
      if (json) printJson(found.map(({ pipeline, stats }) => ({ ...pipeline, ...stats })));
      else process.stdout.write(`${text(found)}\n`);
    });
}

interface Listed {
  readonly pipeline: AttributePipeline;
  readonly stats: EvalStats | undefined;
}

async function listed(
  { attributes }: OpenAttributes,
  entityType: string | undefined,
): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  for (let after: string | undefined; ;) {
    const page = await attributes.pipelines.pipelines(
      { limit: PAGE, ...(after !== undefined && { after }) },
      entityType === undefined ? {} : { entityType },
    );
    const stats = await attributes.evals.stats(page.items.map(({ id }) => id));
    found.push(...page.items.map((pipeline) => ({ pipeline, stats: stats.get(pipeline.id) })));
    if (page.next === undefined) return found;
    after = page.next;
  }
}

function text(found: readonly Listed[]): string {
  if (found.length === 0)
    return 'No attribute has a pipeline yet. Add one: POST /attribute_pipelines.';
  const rows = found.map(({ pipeline, stats }) => {
    const { lastRun } = pipeline;
    return [
      pipelineName(pipeline),
      String(pipeline.version),
      pipeline.automatic ? 'by itself' : 'when asked',
      lastRun?.status ?? 'never run',
      lastRun === null ? '' : formatTime(lastRun.at),
      typeof lastRun?.durationMs === 'number' ? formatDuration(lastRun.durationMs) : '',
      lastRun === null ? '' : formatCount(lastRun.processed),
      lastRun === null ? '' : formatCount(lastRun.failed),
      stats === undefined || stats.evals === 0
        ? ''
        : `${String(stats.evals - stats.failing)} of ${String(stats.evals)}`,
      typeof stats?.averageConfidence === 'number' ? stats.averageConfidence.toFixed(2) : '',
    ];
  });
  return formatTable([
    [
      'PIPELINE',
      'VERSION',
      'RUNS',
      'LAST RUN',
      'STARTED',
      'TOOK',
      'COMPUTED',
      'FAILED',
      'EVALS PASSED',
      'CONFIDENCE',
    ],
    ...rows,
  ]);
}
