import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { Engine } from '../../engine/engine.js';
import { formatDuration } from '../format.js';
import { liveProgressData } from '../live-progress.js';
import { detailRoom, runView } from '../run/run-view.js';

/** How often it is asked for. */
const LOOK_MS = 500;

/** Elsewhere than on a terminal a line is written at most so often. */
const LINE_MS = 2_000;

/** A run that is watched. */
export interface WatchedRun {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly handle: WorkflowHandle;
}

/** Shows how far a run is, on standard error, until it is over or somebody has seen enough. */
export async function watchRecords(
  engine: Engine,
  run: WatchedRun,
  signal: AbortSignal,
): Promise<void> {
  const stream = process.stderr;
  const view = stream.isTTY ? runView(stream, [run.name]) : undefined;
  const over = run.handle.result().then(
    () => true,
    () => true,
  );
  let writtenAt = Date.now();
  try {
    while (!signal.aborted) {
      const isOver = await Promise.race([over, delay(LOOK_MS, false, { ref: false })]);
      if (isOver) return;
      const detail = await progressText(engine, run, detailRoom(run.name, stream.columns));
      if (view !== undefined)
        view.show([
          { label: run.name, state: 'running', startedAt: run.startedAt, detail, attempt: 1 },
        ]);
      else if (Date.now() - writtenAt >= LINE_MS) {
        writtenAt = Date.now();
        stream.write(`  ${run.name}  ${detail}  ${formatDuration(writtenAt - run.startedAt)}\n`);
      }
    }
  } finally {
    if (!signal.aborted) view?.show([]);
    view?.end();
  }
}

async function progressText(engine: Engine, { handle }: WatchedRun, room: number): Promise<string> {
  const told = await liveProgressData(engine, handle.workflowId);
  return (told === undefined ? 'waiting …' : shown(told)).slice(0, room);
}

function shown(progress: Readonly<Record<string, unknown>>): string {
  const count = (name: string): string => Number(progress[name] ?? 0).toLocaleString('en');
  const failed = Number(progress['failed'] ?? 0) === 0 ? [] : [`${count('failed')} failed`];
  return [
    `${typeof progress['step'] === 'string' ? progress['step'] : ''}: ${count('records_left')} left`,
    `${count('completed')} completed`,
    ...failed,
    `${count('records_per_second')} records/s`,
  ].join(', ');
}
