import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NEEDS_APPROVAL } from '../../../src/attribute-pipeline/attribute.js';
import {
  changedValue,
  NO_VALUE,
  viewed,
  type AttributeValue,
  type ValueChange,
} from '../../../src/attribute-pipeline/value.js';

function computed(value: string, confidence: number | null): ValueChange {
  const inputHash = value.padEnd(64, '0');
  const about = { justification: null, meta: null, inputs: {}, pipelineVersion: 1, runId: 'r' };
  return { kind: 'computed', result: { value, confidence, inputHash, ...about } };
}

const values = fc.constantFrom('a', 'b', 'c');
const changes: fc.Arbitrary<ValueChange> = fc.oneof(
  fc
    .tuple(values, fc.option(fc.constantFrom(0, 0.79, 0.8, 1)))
    .map(([value, confidence]) => computed(value, confidence)),
  values.map((value): ValueChange => ({ kind: 'edited', value })),
  values.map((value): ValueChange => ({ kind: 'overridden', value })),
  fc.constantFrom<ValueChange>(
    { kind: 'override_removed' },
    { kind: 'approved' },
    { kind: 'published' },
  ),
);

const readable = ({
  current,
  approved,
  live,
  override,
  justification,
  confidence,
}: AttributeValue) =>
  JSON.stringify([current, approved, live, override, justification, confidence]);

describe('a value', () => {
  it('is approved at once where nobody has to, or it is sure enough', () => {
    const approved = (needsApproval: (typeof NEEDS_APPROVAL)[number], confidence: number | null) =>
      changedValue(NO_VALUE, { needsApproval }, computed('a', confidence)).approved;
    expect(approved('no', null)).toBe('a');
    expect(approved('yes', 1)).toBeUndefined();
    expect(approved('only_low_confidence', 0.8)).toBe('a');
    expect(approved('only_low_confidence', 0.79)).toBeUndefined();
    expect(approved('only_low_confidence', null)).toBeUndefined();
  });

  it('that a person has set is approved before what was computed, and seen before it', () => {
    const attribute = { needsApproval: 'yes' } as const;
    let value = changedValue(NO_VALUE, attribute, computed('theirs', 1));
    value = changedValue(value, attribute, { kind: 'overridden', value: 'ours' });
    expect(value).toMatchObject({ approved: undefined, awaitsApproval: true });
    value = changedValue(value, attribute, { kind: 'approved' });
    value = changedValue(value, attribute, { kind: 'published' });
    value = changedValue(value, attribute, computed('newer', 1));
    expect(value).toMatchObject({ current: 'newer', awaitsApproval: false });
    const views = (['with_override', 'current', 'approved', 'live'] as const).map((view) =>
      viewed(value, view),
    );
    expect(views).toEqual(['ours', 'newer', 'ours', 'ours']);
  });

  it('has another version when something of it is to be read otherwise, and only then', () => {
    fc.assert(
      fc.property(fc.constantFrom(...NEEDS_APPROVAL), fc.array(changes), (needsApproval, all) => {
        let value = NO_VALUE;
        for (const change of all) {
          const before = value;
          value = changedValue(before, { needsApproval }, change);
          const isOther = readable(value) !== readable(before);
          expect(value.version - before.version).toBe(isOther ? 1 : 0);
          expect(value.awaitsApproval).toBe(value.approved !== viewed(value, 'with_override'));
          if (needsApproval === 'no' && change.kind !== 'published')
            expect(value.approved).toBe(viewed(value, 'with_override'));
          if (change.kind === 'computed') expect(value.inputHash).toBe(change.result.inputHash);
        }
      }),
      { numRuns: 500 },
    );
  });
});
