/** What `millrace/testing` exports: running one operation or step by itself, and a whole project on a real Temporal. */
export {
  runOperation,
  type OperationInput,
  type OperationResult,
  type RunOperationOptions,
  type SingleResult,
} from './run-operation.js';
export { runModule, type ModuleTestEntity, type RunModuleOptions } from './run-module.js';
export { runStep, type RunStepOptions } from './run-step.js';
export { buildStepContext, type StepContextOptions } from './step-context.js';
export { stepMatchers, type StepMatchers } from './step-matchers.js';
export { OperationReport, type ReportedHeartbeat, type ReportedLine } from './operation-report.js';
export {
  createTestEngine,
  createTestEnvironment,
  type TestEnvironment,
  type TestEnvironmentOptions,
  type TestEnvironmentSettings,
} from './test-environment.js';
export { TestEngine } from './test-engine.js';
export { LeftOver, type OpenRun } from './left-over.js';
export type { RunningBody } from './body-watch.js';
export { TimeSkippingServerUnavailable } from './time-skipping/time-skipping-errors.js';
export {
  runPipeline,
  type OperationRun,
  type PipelineRun,
  type RunPipelineOptions,
} from './runs/run-pipeline.js';
export { runTask, type RunTaskOptions, type StepRun, type TaskRun } from './runs/run-task.js';
export {
  readRecordingFile,
  runRecorded,
  type RecordedRunOutcome,
  type RunRecordedOptions,
} from './runs/run-recorded.js';
export {
  recordRun,
  type RecordedRun,
  type RecordRunOptions,
} from '../engine/recording/record-run.js';
export type { TestRunner } from '../engine/project/test-runner.js';
export type {
  PipelineRecording,
  RecordedFailure,
  RecordedOperation,
  RecordedOutcome,
  RecordedStep,
  Recording,
  TaskRecording,
} from '../engine/recording/recording.js';
export {
  NotRecordable,
  RecordingExists,
  RecordingInvalid,
} from '../engine/recording/recording-errors.js';
export type { StepGot } from './runs/observed-handler.js';
export {
  stub,
  type OperationStub,
  type OperationStubContext,
  type OperationStubs,
  type StepStub,
  type StepStubs,
} from './runs/stub.js';
export {
  RecordingOutdated,
  StubRefused,
  StubUnknown,
  TaskWaits,
  type AwaitedStep,
} from './runs/stub-errors.js';
export type { DefinitionRunOptions } from './runs/definition-run.js';
export { sinkChecks } from './sink-conformance.js';
export type { SinkCheckOptions, SinkUnderCheck } from './sink-bench.js';
export {
  sourceChecks,
  type ConnectorCheck,
  type SourceCheckOptions,
  type SourceUnderCheck,
} from './source-conformance.js';
export type { TestDefinitions, TestSources } from './test-project.js';
export { startTestServer, type TestServer, type TestServerOptions } from './test-server.js';
export {
  DevServerStartFailed,
  DevServerUnavailable,
} from '../engine/dev-server/dev-server-errors.js';
export { replay, type Replayed, type ReplayOptions } from './replay/replay.js';
export type { HistorySource } from './replay/history-source.js';
export { HistoriesDiverged, HistoryInvalid, type DivergedHistory } from './replay/replay-errors.js';
