/** Has workers of this test file run workflows in a thread of their own, as they do in production. Call it at the top of the file. */
export function useWorkflowThreads(): void {
  // See workflows-in-test-thread.mjs.
  delete process.env['TEMPORAL_DEBUG'];
}
