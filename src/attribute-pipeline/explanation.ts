import type { Eval } from './eval.js';
import type { AttributePipeline } from './pipeline.js';
import type { AttributeRun } from './run.js';
import type { AttributeValue } from './value.js';

/** Something that has changed since a value was computed, and was not looked at yet. */
export interface PendingChange {
  readonly cause: 'entity' | 'input' | 'pipeline' | 'request';
  /** The name of the attribute that has changed; null for other causes. */
  readonly attribute: string | null;
  readonly at: Date;
}

/** A value that an attribute was computed from. */
export interface ExplainedInput {
  readonly attribute: string;
  /** When the value was computed; null where nothing was. */
  readonly usedVersion: number | null;
  /** As it is now. */
  readonly value: AttributeValue;
}

/** Where a value comes from, and whether it is as it would be computed now. */
export interface Explanation {
  readonly value: AttributeValue;
  /** Null for an attribute that nothing computes. */
  readonly pipeline: AttributePipeline | null;
  /** That has computed it; null where none has, or it is not there any more. */
  readonly run: AttributeRun | null;
  readonly inputs: readonly ExplainedInput[];
  readonly eval: Eval | null;
  /** Sentences; empty for a value that is as it would be computed now. */
  readonly staleReasons: readonly string[];
}

/** Why a value is not as it would be computed now. */
export function staleReasons(
  value: AttributeValue,
  pipeline: AttributePipeline,
  inputs: readonly ExplainedInput[],
  pending: PendingChange | null,
): readonly string[] {
  if (value.pipelineVersion === null)
    return ['It was not computed yet.', ...pendingReasons(pending)];
  const reasons: string[] = [];
  if (value.pipelineVersion < pipeline.version)
    reasons.push(
      `It was computed by version ${String(value.pipelineVersion)} of the pipeline, which is at version ${String(pipeline.version)}.`,
    );
  // A run that has looked at it since has found it to be computed from the same: an input was approved, say, and is what it was.
  if (pending === null) return reasons;
  for (const { attribute, usedVersion, value: now } of inputs)
    if (usedVersion !== null && usedVersion !== now.version)
      reasons.push(
        `${attribute} has changed: version ${String(usedVersion)} was used, and there is version ${String(now.version)}.`,
      );
  return reasons.length > 0 ? reasons : pendingReasons(pending);
}

function pendingReasons(pending: PendingChange | null): readonly string[] {
  if (pending === null) return [];
  const { cause, attribute, at } = pending;
  const since = at.toISOString();
  switch (cause) {
    case 'entity':
      return [`The entity was added at ${since}, and no run has looked at it since.`];
    case 'input':
      return [
        `${attribute ?? 'An input'} has changed at ${since}, and no run has looked at it since.`,
      ];
    case 'pipeline':
      return [`The pipeline has changed at ${since}, and no run has looked at the entity since.`];
    case 'request':
      return [`A run has failed for the entity at ${since}.`];
  }
}
