/** Environment variable that holds the address of the dev server that all test files share. */
export const SHARED_SERVER_VARIABLE = 'MILLRACE_TEST_TEMPORAL_ADDRESS';

/** Environment variable by which who runs the tests names a PostgreSQL to use: the URL of a database whose user may create others. */
export const GIVEN_POSTGRES_VARIABLE = 'TEST_DATABASE_URL';

/** Environment variable that holds the URL of the PostgreSQL that all test files share. */
export const SHARED_POSTGRES_VARIABLE = 'MILLRACE_TEST_POSTGRES_URL';

/** Environment variable that says why there is none. */
export const NO_POSTGRES_VARIABLE = 'MILLRACE_TEST_NO_POSTGRES';
