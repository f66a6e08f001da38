/**
 * A jest reporter that closes a run with `N passed, N failed` alone on the last line of standard output,
 * for people and tools that read a log's end. It never touches the exit code: that stays jest's own.
 * Tests that were skipped are in neither number.
 */
export default class SummaryReporter {
  /**
   * @param {unknown} _contexts
   * @param {import('@jest/reporters').AggregatedResult} results
   */
  onRunComplete(_contexts, results) {
    // A file that cannot be loaded has no tests to count, yet the run has failed.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const line = `${results.numPassedTests} passed, ${failed} failed\n`;
    // Jest runs its own summary after every other reporter, so only the exit comes later still.
    process.once('exit', () => process.stdout.write(line));
  }
}
