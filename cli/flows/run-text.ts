import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import type { FlowRunRecord } from '../../src/data-flow/catalog.js';
import { formatDuration } from '../format.js';
import { placeInStack } from '../stack-place.js';
import {
  durationOf,
  formatCount,
  formatOutcomes,
  formatRate,
  formatRows,
  formatRunStatus,
} from './flow-format.js';

/** What a run has come to: how it ended, its rows, how long they took, and what to look at. */
export function summaryText(run: FlowRunRecord): string {
  const { flow, runSeq, status, counts } = run;
  const outcomes = formatOutcomes(counts);
  return [
    `  ${SYMBOLS[status]} ${pc.bold(flow)}  run ${String(runSeq)}  ${formatRunStatus(status)}  ${movedText(run)}`,
    ...(outcomes === '' ? [] : [`    ${outcomes}`]),
    ...(counts.rejected === 0
      ? []
      : [`    ${pc.dim('Rejected rows:')} millrace flows rejections ${flow} ${String(runSeq)}`]),
    '',
  ].join('\n');
}

/** `10,000 rows in 1.2 s, 8,300 rows/s`; of a run that has not succeeded, what it has moved until then. */
function movedText(run: FlowRunRecord): string {
  const ms = durationOf(run);
  const { read, written } = run.counts;
  const whole = run.status === 'success';
  if (read === 0)
    return `${whole ? 'nothing new to read' : 'nothing was moved'}, in ${formatDuration(ms)}`;
  const moved = whole
    ? formatRows(run)
    : `${formatRows(run)} read, ${formatCount(written)} written`;
  const rate = formatRate(read / Math.max(0.001, ms / 1_000));
  return `${moved} in ${formatDuration(ms)}, ${rate}`;
}

const SYMBOLS = {
  success: pc.green('✓'),
  failed: pc.red('✗'),
  cancelled: pc.yellow('-'),
  pending: pc.cyan('·'),
  in_progress: pc.cyan('·'),
} as const satisfies Record<FlowRunRecord['status'], string>;

/** Why a run has not succeeded, and where that was thrown. Texts come from anywhere, and a terminal obeys control characters. */
export function failureText({ status, errorMessage, errorBacktrace }: FlowRunRecord): string {
  const place = errorBacktrace === null ? undefined : placeInStack(errorBacktrace);
  const message = stripVTControlCharacters(errorMessage ?? 'It is not known why.');
  return `${pc.red(status)}  ${message}${place === undefined ? '' : `\n    ${pc.dim(`at ${place}`)}`}`;
}
