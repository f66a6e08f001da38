import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineOperation } from '../../src/pipeline/operation.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { definePipeline } from '../../src/pipeline/pipeline.js';

/** What the tests of the HTTP API run. */
const countWords = defineOperation({
  name: 'count-words',
  reads: z.object({ text: z.string() }),
  sets: z.object({ words: z.number().int() }),
  quick: true,
  run: ({ input }) => ({ words: input.text.split(/\s+/).length }),
});

const shout = defineOperation({
  name: 'shout',
  reads: z.object({ text: z.string() }),
  sets: z.object({ text: z.string() }),
  run: ({ input }) => ({ text: input.text.toUpperCase() }),
});

/** Takes as long as it is told, in small steps, and says how far it is. */
const wait = defineOperation({
  name: 'wait',
  reads: z.object({ ms: z.number() }),
  sets: z.object({ waited: z.number() }),
  retry: { maximumAttempts: 1 },
  run: async ({ input, signal, heartbeat }) => {
    for (let waited = 0; waited < input.ms; waited += 50) {
      heartbeat({ completed: waited, total: input.ms });
      await delay(50, undefined, { signal });
    }
    return { waited: input.ms };
  },
});

const refuse = defineOperation({
  name: 'refuse',
  run: () => {
    throw permanent('no such customer', { id: 7 });
  },
});

const lie = defineOperation({
  name: 'lie',
  sets: z.object({ words: z.number() }),
  run: () => ({ words: JSON.parse('"many"') as number }),
});

const keep = defineOperation({
  name: 'keep',
  reads: z.object({ name: z.string(), action: z.string(), controller: z.string() }),
  sets: z.object({ kept: z.string() }),
  quick: true,
  run: ({ input }) => ({ kept: [input.name, input.action, input.controller].join(' ') }),
});

const call = defineOperation({
  name: 'call',
  reads: z.object({ webhook_url: z.string() }),
  sets: z.object({ called: z.string() }),
  quick: true,
  run: ({ input }) => ({ called: input.webhook_url }),
});

interface Node {
  readonly children: readonly Node[];
}

const node: z.ZodType<Node> = z.object({
  get children() {
    return z.array(node);
  },
});

const treeSize = defineOperation({
  name: 'tree-size',
  reads: z.object({
    tree: node,
    label: z.string().optional(),
  }),
  sets: z.object({ size: z.number() }),
  quick: true,
  run: ({ input }) => ({ size: JSON.stringify(input.tree).length }),
});

const records = z.array(z.object({ tags: z.array(z.string()) }));

/** Its input and what it sets have lists in lists. */
const tag = defineOperation({
  name: 'tag',
  reads: z.object({ records, break: z.boolean().optional() }),
  sets: z.object({ records }),
  quick: true,
  run: ({ input }) => ({
    records:
      input.break === true
        ? (JSON.parse('[{"tags":[]},{"tags":[7]}]') as typeof input.records)
        : input.records,
  }),
});

/** Reads properties that every JavaScript object seems to have. */
const inherit = defineOperation({
  name: 'inherit',
  reads: z.object({
    constructor: z.string(),
    toString: z.string(),
    valueOf: z.string().optional(),
    hasOwnProperty: z.string().optional(),
  }),
  sets: z.object({ valueOf: z.string() }),
  quick: true,
  run: ({ input }) => ({ valueOf: [input.constructor, input.toString].join(' ') }),
});

export const operations = [
  tag,
  inherit,
  countWords,
  shout,
  wait,
  refuse,
  lie,
  keep,
  call,
  treeSize,
];

export const pipelines = [
  definePipeline({
    name: 'report',
    description: 'Counts words and shouts.',
    stages: [
      { name: 'count', operations: [countWords] },
      { name: 'shout', operations: [shout] },
    ],
  }),
  definePipeline({ name: 'slow', stages: [{ name: 'wait', operations: [wait] }] }),
  definePipeline({ name: 'late', timeout: '1s', stages: [{ name: 'wait', operations: [wait] }] }),
  definePipeline({ name: 'doomed', stages: [{ name: 'only', operations: [refuse] }] }),
  definePipeline({ name: 'liar', stages: [{ name: 'only', operations: [lie] }] }),
  definePipeline({ name: 'keeper', stages: [{ name: 'only', operations: [keep] }] }),
  definePipeline({ name: 'listed', stages: [{ name: 'only', operations: [keep] }] }),
  definePipeline({ name: 'caller', stages: [{ name: 'only', operations: [call] }] }),
  definePipeline({ name: 'tagger', stages: [{ name: 'only', operations: [tag] }] }),
  definePipeline({ name: 'heir', stages: [{ name: 'only', operations: [inherit] }] }),
  definePipeline({ name: 'tree', stages: [{ name: 'only', operations: [treeSize] }] }),
];
