import type { PipelinePlan } from '../pipeline/plan.js';
import type { HistoryEvent } from './history-event.js';
import type { RunProgress, StageProgress } from './progress.js';
import type { Told } from './progress-writer.js';

type Started = HistoryEvent & { readonly type: 'run_started' };

/** What is known of a run that has only just begun. */
export function progressAtStart(event: Started): RunProgress {
  const { name, plan, task, time, runSeq, recordRun, attributeRun } = event;
  return {
    name,
    ...(plan !== undefined && { plan }),
    status: 'pending',
    startedAt: time,
    stages: plan === undefined ? [] : pendingStages(plan),
    namespaceCount: 1,
    ...(runSeq !== undefined && { flow: { runSeq } }),
    ...(recordRun !== undefined && { records: { run: recordRun } }),
    ...(attributeRun !== undefined && { attributes: { run: attributeRun } }),
    ...(task !== undefined && { task: { plan: task, state: {}, times: {}, scheduled: {} } }),
  };
}

/** What is told of it, by the kind of the run. */
export function begun({
  name,
  time,
  inputKeys,
  task,
  runSeq,
  recordRun,
  attributeRun,
}: Started): Told {
  if (runSeq !== undefined)
    return { type: 'flow_started', time, data: { flow: name, run_seq: runSeq } };
  if (recordRun !== undefined) {
    const data = { record_pipeline: name, run: recordRun };
    return { type: 'record_pipeline_started', time, data };
  }
  if (attributeRun !== undefined) {
    const data = { attribute_pipeline: name, run: attributeRun };
    return { type: 'attribute_run_started', time, data };
  }
  if (task !== undefined)
    return { type: 'task_started', time, data: { task: name, input_keys: inputKeys } };
  return { type: 'pipe_started', time, data: { pipe: name, input_keys: inputKeys } };
}

function pendingStages(plan: PipelinePlan): readonly StageProgress[] {
  return plan.stages.map((stage) => ({
    name: stage.name,
    state: 'pending',
    operations: stage.operations.map(({ name, type }) => ({ name, type, state: 'pending' })),
  }));
}
