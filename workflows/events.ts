import { proxySinks } from '@temporalio/workflow';
import type { EventSinks } from '../src/event/run-news.js';

/** Tells the worker's process what happens; the history gets nothing of it. */
export const { millrace: tellProcess } = proxySinks<EventSinks>();
