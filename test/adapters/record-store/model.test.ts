import { describe, it, jest } from '@jest/globals';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { casesOr, POLICIES, tryBoxes } from './model/box-property.js';

/** Of each policy. Hundreds of them are tried with the faults. */
const CASES = casesOr(4);

jest.setTimeout(60_000 + CASES * 10_000);

describe('a record store, whatever is done to it in whatever order', () => {
  const folder = useTemporaryDirectory();

  it.each(POLICIES)(
    'is what a plain model of it is, and so are its versions (during runs: %s)',
    (duringRuns) => tryBoxes(folder.path, duringRuns, CASES),
  );
});
