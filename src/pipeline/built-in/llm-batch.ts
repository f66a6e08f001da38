import { isPlainObject, jsonBytes, type Json, type JsonObject } from '../../definition/json.js';
import type { Progress } from '../context.js';
import { LLM_LIMITS } from './llm-options.js';
import { ModelAnswerInvalid } from './model-answer-invalid.js';

/** Tokens that some calls took. */
export interface Tokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** One usable answer: the properties it sets, and what it took. */
export interface Answer extends Tokens {
  readonly set: JsonObject;
}

/** Calls that belong together: one for each namespace. */
export interface AnswerBatch {
  readonly count: number;
  /** Most calls at once. */
  readonly parallel: number;
  /** What the last attempt kept. */
  readonly checkpoint: Json | undefined;
  readonly heartbeat: (progress: Progress, checkpoint?: Json) => void;
  /** Gets the answer for one namespace. */
  readonly ask: (index: number) => Promise<Answer>;
  /** Told the tokens of each call, and once those of earlier attempts. */
  readonly spent: (tokens: Tokens) => void;
}

/**
 * Gets all answers. What an earlier attempt has got is in the checkpoint and is not paid for again. An answer that
 * cannot be used does not stop the other calls; any other error does, since it would meet them too.
 *
 * @throws the error that stopped the calls, or else the first {@link ModelAnswerInvalid}, after the last call has ended
 */
export async function answerAll(batch: AnswerBatch): Promise<readonly JsonObject[]> {
  const progress = new BatchProgress(batch);
  const waiting = progress.missing();
  const failures: { stopping?: { readonly error: unknown }; invalid?: ModelAnswerInvalid } = {};
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (failures.stopping !== undefined) return;
      try {
        progress.add(next, await batch.ask(next));
      } catch (error) {
        if (error instanceof ModelAnswerInvalid) {
          progress.spend(error.usage);
          failures.invalid ??= error;
        } else {
          failures.stopping ??= { error };
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(batch.parallel, waiting.length) }, work));
  if (failures.stopping !== undefined) throw failures.stopping.error;
  if (failures.invalid !== undefined) throw failures.invalid;
  return progress.all();
}

/** What was answered, kept for the next attempt as far as it fits into a checkpoint. */
class BatchProgress {
  readonly #batch: AnswerBatch;
  readonly #answers = new Map<number, JsonObject>();
  readonly #kept = new Map<number, JsonObject>();
  #keptBytes = 0;
  #spent: Tokens = { inputTokens: 0, outputTokens: 0 };

  constructor(batch: AnswerBatch) {
    this.#batch = batch;
    const { answers, spent } = restored(batch.checkpoint);
    for (const [index, set] of answers) this.#keep(index, set);
    if (spent.inputTokens + spent.outputTokens > 0) {
      this.#spent = spent;
      batch.spent(spent);
    }
  }

  missing(): number[] {
    return Array.from({ length: this.#batch.count }, (_, index) => index).filter(
      (index) => !this.#answers.has(index),
    );
  }

  all(): readonly JsonObject[] {
    return Array.from({ length: this.#batch.count }, (_, index) => this.#answers.get(index) ?? {});
  }

  add(index: number, answer: Answer): void {
    this.#keep(index, answer.set);
    this.spend(answer);
  }

  /** Counts tokens, and tells how far it is. */
  spend({ inputTokens, outputTokens }: Tokens): void {
    this.#batch.spent({ inputTokens, outputTokens });
    this.#spent = {
      inputTokens: this.#spent.inputTokens + inputTokens,
      outputTokens: this.#spent.outputTokens + outputTokens,
    };
    this.#batch.heartbeat(
      { completed: this.#answers.size, total: this.#batch.count },
      { answers: [...this.#kept], spent: { ...this.#spent } },
    );
  }

  #keep(index: number, set: JsonObject): void {
    this.#answers.set(index, set);
    const bytes = jsonBytes(set);
    if (this.#keptBytes + bytes > LLM_LIMITS.maxCheckpointBytes) return;
    this.#keptBytes += bytes;
    this.#kept.set(index, set);
  }
}

interface Restored {
  readonly answers: readonly (readonly [number, JsonObject])[];
  readonly spent: Tokens;
}

/** A checkpoint comes from an earlier attempt, perhaps of other code, so it is not trusted to have a form. */
function restored(checkpoint: Json | undefined): Restored {
  const { answers, spent } = isPlainObject(checkpoint) ? checkpoint : {};
  const tokens = isPlainObject(spent) ? spent : {};
  const entries: readonly unknown[] = Array.isArray(answers) ? answers : [];
  return {
    answers: entries.filter(isAnswer),
    spent: {
      inputTokens: tokenCount(tokens['inputTokens']),
      outputTokens: tokenCount(tokens['outputTokens']),
    },
  };
}

function isAnswer(entry: unknown): entry is readonly [number, JsonObject] {
  return Array.isArray(entry) && Number.isInteger(entry[0]) && isPlainObject(entry[1]);
}

function tokenCount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
