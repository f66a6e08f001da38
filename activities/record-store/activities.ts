import {
  STORE_QUESTION_ACTIVITY,
  type StoreQuestionTask,
  type StoreVerdict,
} from '../../src/record-pipeline/store-question.js';
import type { ActivityDependencies } from '../dependencies.js';
import { answerQuestion } from './answer-question.js';

/** The activity that answers questions about record stores. Runs on the machine that has the store. */
export interface RecordStoreActivities {
  readonly [STORE_QUESTION_ACTIVITY]: (task: StoreQuestionTask) => Promise<StoreVerdict>;
}

/** Creates the activity that answers questions about record stores. */
export function createRecordStoreActivities(deps: ActivityDependencies): RecordStoreActivities {
  return { [STORE_QUESTION_ACTIVITY]: (task) => answerQuestion(deps, task) };
}
