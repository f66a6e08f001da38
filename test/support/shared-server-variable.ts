/** Environment variable that holds the address of the dev server that all test files share. */
export const SHARED_SERVER_VARIABLE = 'MILLRACE_TEST_TEMPORAL_ADDRESS';
