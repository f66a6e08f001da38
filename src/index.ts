export { durationMs, InvalidDuration, type Duration } from './definition/duration.js';
export type { Json, JsonObject } from './definition/json.js';
export { DefinitionError, formatProblem, type Problem, type Site } from './definition/problem.js';
export { ContractViolation, type PropertyViolation } from './contract/violation.js';
export type { Contract, PropertyTypes } from './contract/contract.js';
export type {
  ActivityContext,
  Log,
  ModelAnswer,
  ModelReference,
  ModelRequest,
  ModelUsage,
  OperationContext,
  OperationFailure,
  Progress,
  RunReference,
  Services,
} from './pipeline/context.js';
export {
  defineGenericOperation,
  defineOperation,
  type CountEffect,
  type IgnoreErrors,
  type Operation,
  type RetryOptions,
} from './pipeline/operation.js';
export { permanent, PermanentError, retryable, RetryableError } from './pipeline/permanent.js';
export {
  definePipeline,
  type OperationUse,
  type Pipeline,
  type PipelineInput,
  type PipelineOutput,
  type Stage,
} from './pipeline/pipeline.js';
export {
  defineSubscriber,
  type Subscriber,
  type SubscriberContext,
  type SubscriberDefinition,
} from './event/subscriber.js';
export type {
  DomainEventPayload,
  EventError,
  MillraceEvent,
  OperationEventPayload,
  RunEventPayload,
  StepEventPayload,
} from './event/event.js';
export { InvalidSubscription, subscribe, type SubscribeOptions } from '../engine/subscribe.js';
export { defineWorkflow, type Workflow, type WorkflowDefinition } from './definition/workflow.js';
export {
  defineDataFlow,
  type BodyCounts,
  type BodyFlowDefinition,
  type DataFlow,
  type FlowBodyContext,
  type MovingFlowDefinition,
} from './data-flow/data-flow.js';
export type { FlowRequest } from './data-flow/request.js';
export {
  defineSource,
  type ConnectorContext,
  type Source,
  type SourceBatch,
  type SourceContext,
  type SourceDefinition,
  type SourceUse,
  type UnreadableRow,
} from './data-flow/source.js';
export {
  defineSink,
  type OpenSink,
  type Sink,
  type SinkBatch,
  type SinkContext,
  type SinkDefinition,
  type SinkReceipt,
  type SinkUse,
} from './data-flow/sink.js';
export {
  defineTransform,
  type Transform,
  type TransformContext,
  type TransformDefinition,
  type TransformUse,
} from './data-flow/transform.js';
export {
  defineTask,
  type ApprovalConfig,
  type BatchConfig,
  type DomainEvent,
  type HandlerUse,
  type IdentityStrategy,
  type Lifecycle,
  type StepEvent,
  type StepRetry,
  type Task,
  type TaskDefinition,
  type TaskStep,
} from './task/task.js';
export {
  defineApiHandler,
  defineBatchableHandler,
  defineDecisionHandler,
  defineStepHandler,
  type ApiHandlerDefinition,
  type ApiStepContext,
  type BatchableHandlerDefinition,
  type DecisionHandlerDefinition,
  type StepHandler,
  type StepHandlerDefinition,
} from './task/handler.js';
export { register } from '../engine/project/registered-handlers.js';
export {
  batches,
  branches,
  error,
  noBatches,
  noBranches,
  STEP_ERROR_TYPES,
  success,
  type StepError,
  type StepErrorOptions,
  type StepResult,
  type StepSuccess,
} from './task/step-result.js';
export { UnexpectedError, ValidationError } from './task/step-errors.js';
export type { BatchCheckpoint, BatchWork, StepContext } from './task/step-context.js';
export type { ApiClient, ApiRequest, ApiResponse } from './task/api-client.js';
export type { BatchRange, DependencyResult } from './task/step-outcome.js';
export { FenceLost, type FlowPosition } from './data-flow/position.js';
export { RowsRefused, type RefusedRow } from './data-flow/refusal.js';
export type { Row, RowCounts, Written } from './data-flow/row.js';
export type { FlowSchedule, OverlapPolicy } from './data-flow/schedule.js';
export type {
  FlowRecord,
  FlowRunRecord,
  FlowRunStatus,
  FlowTrigger,
  RejectionRecord,
} from './data-flow/catalog.js';
export { ConfigurationInvalid } from './data-flow/configuration.js';
export { defineConfig, type Config, type ConfigDefinition } from './config/config.js';
export type { SecretLookup } from './config/references.js';
export type {
  AfterExecute,
  ApiAuthentication,
  AuthorizeDataFlows,
  AuthorizeRecordPipelines,
  AuthorizeExecution,
  BeforeExecute,
  ExecutionInfo,
  ExecutionOutcome,
  Principal,
  Rejection,
  RequestedExecution,
  RequestedFlowAccess,
  RequestedRecordAccess,
} from './config/hooks.js';
export type { RouteDefinition } from './config/routes.js';
export type { Execution } from '../engine/execution.js';
export type { ExecutionPage, ExecutionSummary, ListRequest } from '../engine/execution-list.js';
export {
  ConnectedEngine,
  createEngine,
  type CreateEngineOptions,
} from '../engine/create-engine.js';
export { Engine, type EngineOptions, type Executed, type StartOptions } from '../engine/engine.js';
export {
  DefinitionNotFound,
  DuplicateTask,
  IdempotencyConflict,
  IdentityKeyMissing,
  RunFailed,
  RunNotFound,
} from '../engine/errors.js';
export {
  NamespaceNotFound,
  NoTemporalServer,
  TemporalSettingsInvalid,
  TemporalRefused,
  TemporalUnreachable,
} from '../engine/connection-errors.js';
export { DataFlows } from '../engine/data-flow/data-flows.js';
export type { Heartbeat } from '../engine/data-flow/flow-heartbeat.js';
export type { FlowState } from '../engine/data-flow/known-flows.js';
export {
  FlowActive,
  FlowNotFound,
  FlowNotScheduled,
  FlowRunNotFound,
} from '../engine/data-flow/flow-errors.js';
export {
  RecordStoreAway,
  RecordStoreRefused,
} from '../engine/record-pipeline/record-store-errors.js';
export { TemporalUnavailable } from '../engine/temporal-request.js';
export { Run, type EventsOptions } from '../engine/run.js';
export { NoDeadLetter, requeueDeadLetter } from '../engine/dead-letters.js';
export { StepRefused } from '../engine/step-request.js';
export type { StepSignal } from './task/step-signal.js';
export { stepsOf, type StepProgress, type TaskProgress } from './progress/task-progress.js';
export type { Failure } from './pipeline/failure.js';
export type { OperationProgress, RunProgress, StageProgress } from './progress/progress.js';
export {
  parseEventId,
  type EventPosition,
  type RunEvent,
  type RunEventType,
} from './progress/run-event.js';
export type { ExecutionStatus } from './progress/status.js';
export {
  createRouter,
  healthRoute,
  pipelineRoutes,
  readyRoute,
  type HealthRouteOptions,
  type ReadyRouteOptions,
  type PipelineRoutesOptions,
  type RouterOptions,
} from '../server/embedding.js';
export {
  dataFlowRoutes,
  type DataFlowRoutesOptions,
  type HeartbeatOptions,
} from '../server/data-flow-embedding.js';
export {
  recordPipelineRoutes,
  type RecordPipelineRoutesOptions,
} from '../server/record-pipeline-embedding.js';
export {
  attributeRoutes,
  type AttributeRoutesOptions,
} from '../server/attributes/attribute-embedding.js';
export { Attributes } from '../engine/attribute-pipeline/attributes.js';
export {
  defineModule,
  moduleResult,
  type AttributeModule,
  type ModuleContext,
  type ModuleDefinition,
  type ModuleResult,
  type ModuleSurroundings,
} from './attribute-pipeline/module.js';
export { HeartbeatTokenInvalid } from '../server/middleware/heartbeat-authentication.js';
export { PrincipalNotKept, SessionSecretInvalid } from '../server/sessions.js';
export type { Readiness, WorkerState } from '../engine/readiness.js';
export type { ProbedWorker } from '../server/routes/ready.js';
export { ListenFailed, type HttpServer } from '../server/http-listener.js';
export { UnauthenticatedListen, type HttpServerOptions } from '../server/http-server.js';
export { startServer } from '../server/start-server.js';
export { activityContext } from '../activities/project/activity-context.js';
export { VERSION } from './version.js';
