import { afterAll, it } from '@jest/globals';
import {
  createPostgresDatabase,
  describePostgres,
  type PostgresDatabase,
} from '../support/postgres.js';
import { expectBackfilled, PAGE, STEP_MS, stepsIn, useReader } from './data-flows-reader.js';

const POSTGRES_ON_THE_PAGE = 'postgres://me:secret@127.0.0.1:5432/shop';

describePostgres(`${PAGE} with PostgreSQL`, () => {
  let database: PostgresDatabase | undefined;
  const reader = useReader(async () => {
    database = await createPostgresDatabase();
    return { [POSTGRES_ON_THE_PAGE]: database.url };
  });
  afterAll(async () => {
    await database?.drop();
  });

  it.each(stepsIn('postgres'))(
    '%s does what it says',
    (_place, block) => reader.follow(block),
    STEP_MS,
  );

  it('has gone on where the killed process was', () => {
    reader.expectContinuation();
  });

  it('has run the import on its schedule, for the time that was asked for', async () => {
    await expectBackfilled(reader);
  });
});
