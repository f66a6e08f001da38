import type { FlowRunRecord } from '../../src/data-flow/catalog.js';
import { conditionOf, nextOf, noteOf, type FlowOverview } from './flow-overview.js';

/** A run as `--json` prints it: what the catalog has of it, without the plan. */
export function runJson({ plan: _, ...run }: FlowRunRecord): object {
  const durationMs = run.endedAt === null ? null : run.endedAt.getTime() - run.startedAt.getTime();
  return { ...run, durationMs };
}

/** A flow as `--json` prints it. */
export function flowJson(overview: FlowOverview): object {
  const { state, schedule, lastRun, activeRun, progress } = overview;
  const { record, definition, configurationProblems } = state;
  const next = nextOf(overview);
  const { lastRunSeq: _, ...kept } = record;
  return {
    ...kept,
    state: conditionOf(overview),
    schedule: definition?.schedule ?? null,
    after: definition?.after ?? [],
    nextAt: next === 'now' ? new Date() : (next ?? null),
    nextTimes: schedule?.next ?? [],
    paused: schedule?.paused ?? false,
    note: noteOf(overview),
    configurationProblems,
    lastRun: lastRun === undefined ? null : runJson(lastRun),
    activeRun: activeRun === undefined ? null : { ...runJson(activeRun), progress },
  };
}

/** Writes data to standard output, as the other commands do. */
export function printJson(data: unknown): void {
  process.stdout.write(`${JSON.stringify(data, undefined, 2)}\n`);
}
