import pc from 'picocolors';
import type { Engine } from '../../engine/engine.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import type { AttributeRun } from '../../src/attribute-pipeline/run.js';
import { formatCount } from '../flows/flow-format.js';
import { formatDuration } from '../format.js';
import { priceNumbers } from './attribute-progress.js';

/** What a run has come to, for standard output: `✓ product.area  completed  12 computed in 1.2 s`, and its warnings. */
export function runSummary(run: AttributeRun): string {
  const { status, counts, startedAt, completedAt } = run;
  const tookMs = (completedAt ?? new Date()).getTime() - startedAt.getTime();
  const parts = [
    `${formatCount(counts.processed)} computed`,
    ...(counts.unchanged > 0 ? [`${formatCount(counts.unchanged)} unchanged`] : []),
    ...(counts.skipped > 0 ? [`${formatCount(counts.skipped)} skipped`] : []),
    ...(counts.failed > 0 ? [pc.red(`${formatCount(counts.failed)} failed`)] : []),
    ...priceNumbers(run),
  ];
  const mark = status === 'completed' ? pc.green('✓') : pc.red('✗');
  const warnings = run.warnings.map((warning) => `    ${pc.yellow('!')} ${warning}\n`).join('');
  return `  ${mark} ${pipelineName(run)}  ${status}  ${parts.join(', ')} in ${formatDuration(tookMs)}\n${warnings}`;
}

/** Why a run has failed, for standard error; empty where it has not. */
export function runTrouble({ errorMessage }: AttributeRun): string {
  return errorMessage === null ? '' : `    ${pc.red(errorMessage)}\n`;
}

/** Where Temporal has a run, for standard error. */
export function runPlace(engine: Engine, workflowId: string): string {
  const link = engine.uiLink(workflowId);
  return `  ${pc.dim([workflowId, ...(link === undefined ? [] : [link])].join('   '))}\n`;
}
