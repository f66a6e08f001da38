import { describe, expect, it } from '@jest/globals';
import { staleReasons } from '../../../src/attribute-pipeline/explanation.js';
import {
  UNSET_PIPELINE,
  type AttributePipeline,
} from '../../../src/attribute-pipeline/pipeline.js';
import { NO_VALUE } from '../../../src/attribute-pipeline/value.js';

const AT = new Date('2026-03-01T12:00:00Z');

const PIPELINE: AttributePipeline = {
  ...UNSET_PIPELINE,
  id: 'p',
  entityType: 'vase',
  attribute: 'litres',
  attributeId: 'a',
  modules: [],
  inputs: ['height'],
  readsElsewhere: false,
  version: 2,
  versionAt: AT,
  lastRun: null,
  lockVersion: 1,
  updatedBy: null,
  createdAt: AT,
  updatedAt: AT,
};

const VALUE = { ...NO_VALUE, current: 2, version: 1, pipelineVersion: 2 };
const HEIGHT = { attribute: 'height', usedVersion: 1, value: { ...NO_VALUE, version: 2 } };
const PENDING = { cause: 'input', attribute: 'height', at: AT } as const;

describe('a value is stale', () => {
  it('when an input has changed that no run has looked at since', () => {
    expect(staleReasons(VALUE, PIPELINE, [HEIGHT], PENDING)).toEqual([
      'height has changed: version 1 was used, and there is version 2.',
    ]);
  });

  it('not when a run has looked at it, and found it to be computed from the same', () => {
    // As when the input was approved, which makes it another version.
    expect(staleReasons(VALUE, PIPELINE, [HEIGHT], null)).toEqual([]);
  });

  it('when its pipeline has changed, or nothing was computed yet', () => {
    const before = { ...VALUE, pipelineVersion: 1 };
    expect(staleReasons(before, PIPELINE, [HEIGHT], null)).toEqual([
      'It was computed by version 1 of the pipeline, which is at version 2.',
    ]);
    expect(staleReasons(NO_VALUE, PIPELINE, [], PENDING)).toEqual([
      'It was not computed yet.',
      'height has changed at 2026-03-01T12:00:00.000Z, and no run has looked at it since.',
    ]);
  });
});
