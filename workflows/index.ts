/**
 * Temporal's registration list. The default export serves every workflow type that has no function of its own; the names
 * of the others are refused for definitions (src/definition/name.ts).
 */
export { runPlan as default } from './dispatch.js';
export { deliverOutcome, sweepOutcomes } from './outcome.js';
export { reconcileDataFlows, triggerDataFlow } from './flow-trigger.js';
export { reconcileAttributes, refreshAttributes } from './attribute-refresh.js';
export { evaluateAttributes, tryAttributePipeline } from './attribute-questions.js';
export { askRecordStore } from './record-store.js';
