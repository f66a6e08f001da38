import type { Operation } from '../operation.js';
import { collapse } from './collapse.js';
import { explode } from './explode.js';
import { filter } from './filter.js';
import { link } from './link.js';
import { llmCall } from './llm-call.js';
import { log } from './log.js';

/** The operations that every project has without defining them. */
export const BUILT_IN_OPERATIONS: readonly Operation[] = [
  link,
  explode,
  collapse,
  filter,
  log,
  llmCall,
];
