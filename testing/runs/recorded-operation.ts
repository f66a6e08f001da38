import type { RecordedOperation } from '../../engine/recording/recording.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { ObservedOperation } from './observed-operation.js';
import type { OperationStub } from './stub.js';

/** Does what an operation did in a recorded run. Where nothing was recorded, and it is reached all the same, it says so. */
export function recordedStub(
  place: ObservedOperation,
  effect: RecordedOperation['effect'] | undefined,
): OperationStub {
  const where = `operation "${place.name}" of stage "${place.stage}"`;
  if (effect === undefined)
    return () =>
      place.refuse(
        `the recorded run did not come to ${where}. Record another run, give it a stub, or leave it real: real: ['${place.name}'].`,
      );
  switch (effect.kind) {
    case 'sets':
      return effect.sets;
    case 'derived':
      return effect.derived;
    case 'failed':
    case 'ignored': {
      const { message, details, type } = effect.failure;
      // Once is enough: what was recorded is its last attempt.
      return () => {
        throw permanent(message, details, type);
      };
    }
  }
}
