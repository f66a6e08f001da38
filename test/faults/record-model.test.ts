import { describe, it, jest } from '@jest/globals';
import { casesOr, POLICIES, tryBoxes } from '../adapters/record-store/model/box-property.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const CASES = casesOr(150);

jest.setTimeout(60_000 + CASES * 10_000);

describe('a record store, whatever is done to it in whatever order, tried for minutes', () => {
  const folder = useTemporaryDirectory();

  it.each(POLICIES)(
    'is what a plain model of it is, and so are its versions (during runs: %s)',
    (duringRuns) => tryBoxes(folder.path, duringRuns, CASES),
  );
});
