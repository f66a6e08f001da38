/** Temporal's registration list: the default export serves every workflow type that has no function of its own. */
export { runPlan as default } from './dispatch.js';
