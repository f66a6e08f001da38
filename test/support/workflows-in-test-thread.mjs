/**
 * A worker of Temporal's has a thread for workflow code, which loads the whole SDK once more: half a second of CPU time, for each of
 * the hundreds of workers that tests start. With this variable the SDK has the same sandbox in the test's own thread (its debug
 * mode, which it also replays histories in). The threads stay where workers are as users have them: in the processes that tests
 * start, and in the test files that call `useWorkflowThreads`.
 *
 * Not enumerable: no process inherits it.
 */
Object.defineProperty(process.env, 'TEMPORAL_DEBUG', {
  value: '1',
  configurable: true,
  enumerable: false,
});
