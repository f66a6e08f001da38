import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { StartedRecordRun } from '../../engine/record-pipeline/record-pipelines.js';
import type { RecordResult } from '../../src/record-pipeline/plan.js';
import { EXIT, UsageError } from '../exit-code.js';
import { isPlainObject } from '../../src/definition/json.js';
import { formatDuration, oneLine } from '../format.js';
import { printJson } from '../flows/flow-json.js';
import { onInterruption } from '../interruption.js';
import { projectWith } from './open-records.js';
import { watchRecords } from './record-view.js';
import { runPlace, type RunPlace } from './run-place.js';

interface RunOptions {
  readonly dir?: string;
  readonly queue: boolean;
  readonly retryFailed: boolean;
  readonly detach: boolean;
  readonly json: boolean;
}

const EXAMPLES = `
One run works on a store at a time: while another one does, this exits with 2, or waits with --queue. Exits with 1 when records
have failed or the run was cancelled; what was done is kept, and the next run goes on with what is left.

Workers do the work: those of \`millrace dev\`, or of the configured Temporal server. Where neither is, this process does it by itself;
ended before its time, it goes on where it was when it is started again.

Progress goes to standard error, what the run has come to to standard output. Ctrl-C leaves; a run that others work on goes on.

Examples:
  $ millrace records run onboarding
  $ millrace records run onboarding --retry-failed
  $ millrace records run onboarding --json | jq .completed
`;

/** Adds `records run`: starts a run, and tells what it has come to. */
export function addRunCommand(records: Command): void {
  records
    .command('run <name>')
    .summary('run a record pipeline now and show how far it is')
    .description(
      'Runs a record pipeline now, until its steps have no records left, and shows how far it is.',
    )
    .option('--queue', 'wait for the end of another run on the store', false)
    .option(
      '--retry-failed',
      'work only on records that have failed in earlier runs, and not since',
      false,
    )
    .option('--detach', 'print the id of the run and do not wait for it', false)
    .option('--json', 'print what the run has come to as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: RunOptions) => {
      const project = await projectWith(options.dir, name);
      const place = await runPlace(project, name);
      try {
        process.exitCode = await Promise.race([run(place, name, options), place.failed]);
      } finally {
        await place.close();
      }
    });
}

async function run(
  { engine, isOwn, start }: RunPlace,
  name: string,
  { queue, retryFailed, detach, json }: RunOptions,
): Promise<number> {
  const startedAt = Date.now();
  if (detach && isOwn)
    throw new UsageError(
      'Nobody would work on the run: no `millrace dev` runs here, and no Temporal server is configured. Start one, or leave --detach out.',
    );
  const started = await start({ queue, retryFailed });
  if (detach) {
    process.stdout.write(`${started.workflowId}\n`);
    return EXIT.ok;
  }
  const interruption = onInterruption();
  try {
    await watchRecords(engine, { name, startedAt, id: started.id }, interruption.signal);
  } finally {
    interruption.dispose();
  }
  if (interruption.signal.aborted) {
    const next = isOwn
      ? `It goes on where it is: millrace records run ${name}`
      : `The run goes on.   Cancel it: millrace cancel ${started.workflowId}`;
    process.stderr.write(`${next}\n`);
    return interruption.exitCode;
  }
  const code = await tellOutcome(name, started, { startedAt, json });
  // A server of its own ends with it.
  const link = isOwn ? undefined : engine.uiLink(started.workflowId);
  const place = [started.workflowId, ...(link === undefined ? [] : [link])].join('   ');
  process.stderr.write(`  ${pc.dim(place)}\n`);
  return code;
}

async function tellOutcome(
  name: string,
  { handle, id }: StartedRecordRun,
  { startedAt, json }: { readonly startedAt: number; readonly json: boolean },
): Promise<number> {
  try {
    const result = await handle.result();
    if (json) printJson(result);
    else process.stdout.write(summary(name, result, Date.now() - startedAt));
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    const failure = cause instanceof ApplicationFailure ? cause : undefined;
    const type = cause instanceof CancelledFailure ? 'cancelled' : (failure?.type ?? 'failed');
    const message = failure?.message ?? 'The run was cancelled.';
    if (json)
      printJson({ run: id, error: { type, message, details: failure?.details?.[0] ?? null } });
    else
      process.stderr.write(
        `  ${pc.red('✗')} ${name}  ${type}: ${message}\n${otherFailures(failure)}`,
      );
    return type === 'StoreBusy' ? EXIT.usage : EXIT.failed;
  }
}

/** Most records that are listed beside the first. */
const OTHERS_SHOWN = 4;

/** The first failure is in the message of the run. */
function otherFailures(failure: ApplicationFailure | undefined): string {
  const [failures] = failure?.details ?? [];
  if (!Array.isArray(failures)) return '';
  const lines = (failures as readonly unknown[]).slice(1, 1 + OTHERS_SHOWN).flatMap((one) => {
    if (!isPlainObject(one)) return [];
    const text = (key: string): string => {
      const value = one[key];
      return oneLine(typeof value === 'number' ? String(value) : (value as string), 200);
    };
    return [
      `    ${pc.red('✗')} ${text('record')} ${text('record_id')} in "${text('step')}": ${text('name')}: ${text('message')}\n`,
    ];
  });
  return lines.join('');
}

function summary(name: string, { completed, failed }: RecordResult, tookMs: number): string {
  const rate = Math.round((completed / Math.max(1, tookMs)) * 1_000);
  const count = `${completed.toLocaleString('en')} ${completed === 1 ? 'record' : 'records'}`;
  const wrong = failed === 0 ? '' : `, ${String(failed)} failed`;
  return `  ${pc.green('✓')} ${name}  success  ${count}${wrong} in ${formatDuration(tookMs)}, ${rate.toLocaleString('en')} records/s\n`;
}
