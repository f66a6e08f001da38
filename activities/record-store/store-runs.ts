import {
  failuresOf,
  findRun,
  formatFailurePlace,
  parseFailurePlace,
  runsOf as runsIn,
} from '../../adapters/record-store/run/run-pages.js';
import { ContractViolation } from '../../src/contract/violation.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { pageOf } from '../../src/record-pipeline/fitting.js';
import {
  STORE_QUESTION_FAILURES,
  STORE_QUESTION_LIMITS,
  type RunAnswer,
  type RunPage,
  type StoreQuestion,
} from '../../src/record-pipeline/store-question.js';
import type { Asked } from './answer-question.js';

type Question<K extends StoreQuestion['kind']> = Extract<StoreQuestion, { readonly kind: K }>;

/** Runs of the pipeline, newest first. */
export function runsOf({ store, pipeline }: Asked, { limit, before }: Question<'runs'>): RunPage {
  const found = runsIn(store.live.db, pipeline, { before, limit: limit + 1 });
  const { shown, hasMore } = pageOf(found, limit, STORE_QUESTION_LIMITS.answerBytes);
  const last = shown.at(-1);
  return { runs: shown, ...(hasMore && last !== undefined && { nextBefore: last.id }) };
}

/** A run of the pipeline, and what has failed in it. */
export function runOf(
  { store, pipeline }: Asked,
  { run: id, limit, after }: Question<'run'>,
): RunAnswer {
  const { db } = store.live;
  const run = findRun(db, pipeline, id);
  if (run === undefined)
    throw permanent(
      `The store of "${pipeline}" knows no run "${id}" of it.`,
      undefined,
      STORE_QUESTION_FAILURES.runNotFound,
    );
  if (limit === 0) return { run, failures: [] };
  const found = failuresOf(db, id, { after: placeOf(after), limit: limit + 1 });
  const { shown, hasMore } = pageOf(found, limit, STORE_QUESTION_LIMITS.answerBytes);
  const last = shown.at(-1);
  return {
    run,
    failures: shown,
    ...(hasMore && last !== undefined && { nextAfter: formatFailurePlace(last) }),
  };
}

function placeOf(after: string | undefined): ReturnType<typeof parseFailurePlace> {
  if (after === undefined) return undefined;
  const place = parseFailurePlace(after);
  if (place !== undefined) return place;
  const message = "Property 'after' must be the next_after of the page before";
  throw new ContractViolation([{ path: 'after', got: 'string', message }]);
}
