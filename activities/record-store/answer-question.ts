import { Context } from '@temporalio/activity';
import type { SqliteStore } from '../../adapters/record-store/sqlite-store.js';
import { ContractViolation } from '../../src/contract/violation.js';
import type { JsonObject } from '../../src/definition/json.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import { isPermanent, permanent } from '../../src/pipeline/permanent.js';
import type {
  StoreAnswers,
  StoreQuestion,
  StoreQuestionTask,
  StoreVerdict,
} from '../../src/record-pipeline/store-question.js';
import { RecordStoreError } from '../../src/record-store/errors.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf } from '../failure.js';
import { startHeartbeat } from '../heartbeat.js';
import { recordCode, storeFailure } from '../record-pipeline/record-code.js';
import { diffOf, recordsOf } from './store-records.js';
import { runOf, runsOf } from './store-runs.js';
import { statusOf } from './store-status.js';
import { restored, snapshotOf, versionOf, versionsOf } from './store-versions.js';

/** What an answer is made from. */
export interface Asked {
  readonly store: SqliteStore;
  /** Name of the pipeline that was asked for. */
  readonly pipeline: string;
  readonly signal: AbortSignal;
}

/** Answers a question about the store of a pipeline. Runs that go on go on. */
export async function answerQuestion(
  deps: ActivityDependencies,
  { pipeline, question }: StoreQuestionTask,
): Promise<StoreVerdict> {
  const activity = Context.current();
  const heartbeat = startHeartbeat(activity);
  try {
    const { store } = recordCode(deps, pipeline);
    const asked = { store, pipeline, signal: activity.cancellationSignal };
    return { answer: await answer(asked, question) };
  } catch (error) {
    const failure = storeFailure(questionFailure(error));
    if (isPermanent(failure) || failure instanceof RecordStoreError)
      return { refused: failureOf(failure) };
    throw applicationFailure(failureOf(failure), error);
  } finally {
    heartbeat.stop();
  }
}

async function answer(
  asked: Asked,
  question: StoreQuestion,
): Promise<StoreAnswers[keyof StoreAnswers]> {
  switch (question.kind) {
    case 'status':
      return statusOf(asked);
    case 'runs':
      return runsOf(asked, question);
    case 'run':
      return runOf(asked, question);
    case 'versions':
      return versionsOf(asked, question);
    case 'version':
      return versionOf(asked, question.version);
    case 'records':
      return recordsOf(asked, question);
    case 'diff':
      return diffOf(asked, question);
    case 'snapshot':
      return snapshotOf(asked);
    case 'restore':
      return restored(asked, question.version);
  }
}

/** Most violations that are told of one question. */
const MAX_VIOLATIONS = 20;

/** A question that is wrong is so each time. What was found is told, too, as the API tells it. */
function questionFailure(error: unknown): unknown {
  if (!(error instanceof ContractViolation)) return error;
  const violations = error.violations
    .slice(0, MAX_VIOLATIONS)
    .map(({ path, expected, got, message }): JsonObject => ({
      path,
      ...(expected !== undefined && { expected }),
      got,
      message,
    }));
  return permanent(error.message, violations, FAILURE_TYPES.contractViolation);
}
