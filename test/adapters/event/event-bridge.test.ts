import * as diagnostics from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EventBridge } from '../../../adapters/event/event-bridge.js';
import type { MillraceEvent } from '../../../src/event/event.js';
import { defineSubscriber } from '../../../src/event/subscriber.js';
import { NO_SERVICES } from '../../../src/pipeline/context.js';
import { testLog } from '../../support/heard-events.js';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Hears a channel until the test is over. */
function hear(channel: string): unknown[] {
  const heard: unknown[] = [];
  const listen = (message: unknown): void => {
    heard.push(message);
  };
  diagnostics.subscribe(channel, listen);
  ends.push(() => diagnostics.unsubscribe(channel, listen));
  return heard;
}

const { log, lines } = testLog();
const bridge = (): EventBridge => new EventBridge({ log, services: NO_SERVICES });
const made = { task_uuid: '01J', payload: {}, timestamp: '2026-01-01T00:00:00.000Z' };
const event = (type: string): MillraceEvent => ({ event_type: type, ...made });

describe('the event bridge', () => {
  it('publishes on the channel of the type, on that of all events, and a run on that of runs', () => {
    const own = hear('millrace.task_execution_failed');
    const runs = hear('millrace.run_execution_failed');
    const every = hear('millrace.event');
    bridge().publish('task.execution.failed', () => made);
    expect([own, runs, every]).toEqual(Array(3).fill([event('task.execution.failed')]));
    bridge().publish('step.execution.failed', () => made);
    expect([own.length, runs.length, every.length]).toEqual([1, 1, 2]);
  });

  it('does not make an event that nobody listens to', () => {
    hear('millrace.step_execution_completed');
    const events = bridge();
    events.replace([
      defineSubscriber({ name: 'tasks', events: ['task.**'], handle: () => undefined }),
    ]);
    events.publish('step.execution.failed', () => {
      throw new Error('made');
    });
  });

  it('tells subscribers what they want to know, once each', () => {
    const told: string[] = [];
    const tell = (name: string, patterns: readonly string[]) =>
      defineSubscriber({
        name,
        events: patterns,
        handle: ({ event_type: type }) => told.push(`${name} ${type}`),
      });
    const events = bridge();
    events.replace([
      tell('both', ['step.**', '*.execution.failed']),
      tell('runs', ['run.execution.*']),
    ]);
    for (const type of ['step.execution.failed', 'task.execution.failed', 'payment.charged'])
      events.publish(type, () => made);
    expect(told).toEqual([
      'both step.execution.failed',
      'both task.execution.failed',
      'runs task.execution.failed',
    ]);
    events.replace([tell('other', ['payment.charged'])]);
    for (const type of ['step.execution.failed', 'payment.charged'])
      events.publish(type, () => made);
    expect(told.slice(3)).toEqual(['other payment.charged']);
  });

  it('is not harmed by a subscriber that throws or rejects, and tells the others', async () => {
    const told: string[] = [];
    const events = bridge();
    events.replace([
      defineSubscriber({
        name: 'throws',
        events: ['**'],
        handle: () => {
          throw new Error('no');
        },
      }),
      defineSubscriber({
        name: 'rejects',
        events: ['**'],
        handle: () => Promise.reject(new Error('not later either')),
      }),
      defineSubscriber({ name: 'works', events: ['**'], handle: () => told.push('works') }),
    ]);
    lines.length = 0;
    events.publish('step.execution.failed', () => made);
    await events.drain();
    expect(told).toEqual(['works']);
    expect(lines).toEqual(
      ['throws', 'rejects'].map((subscriber) => ({
        fields: expect.objectContaining({
          subscriber,
          event: 'step.execution.failed',
          task: '01J',
          err: expect.any(Error) as unknown,
        }),
        message: 'a subscriber failed',
      })),
    );
  });

  it('waits for what subscribers have begun when it is drained', async () => {
    let ended = false;
    const events = bridge();
    events.replace([
      defineSubscriber({
        name: 'slow',
        events: ['**'],
        handle: async () => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          ended = true;
        },
      }),
    ]);
    events.publish('step.execution.failed', () => made);
    expect(ended).toBe(false);
    await events.drain();
    expect(ended).toBe(true);
  });

  it('tells a subscriber of one event after the other, in their order', async () => {
    const story: string[] = [];
    let wait = 20;
    const events = bridge();
    events.replace([
      defineSubscriber({
        name: 'ledger',
        events: ['**'],
        handle: async ({ event_type: type }) => {
          story.push(`begin ${type}`);
          // The first one takes longest.
          await new Promise((resolve) => setTimeout(resolve, (wait -= 9)));
          story.push(`end ${type}`);
        },
      }),
    ]);
    for (const type of ['payment.charged', 'step.execution.completed'])
      events.publish(type, () => made);
    expect(story).toEqual(['begin payment.charged']);
    await events.drain();
    expect(story).toEqual([
      'begin payment.charged',
      'end payment.charged',
      'begin step.execution.completed',
      'end step.execution.completed',
    ]);
  });

  it('goes on with the next event where a promise was rejected', async () => {
    const told: string[] = [];
    const events = bridge();
    events.replace([
      defineSubscriber({
        name: 'rejects',
        events: ['**'],
        handle: ({ event_type: type }) => {
          told.push(type);
          return Promise.reject(new Error('no'));
        },
      }),
    ]);
    for (const type of ['payment.charged', 'payment.settled']) events.publish(type, () => made);
    await events.drain();
    expect(told).toEqual(['payment.charged', 'payment.settled']);
  });

  it('tells a subscriber of as many events at once as it wants to have', () => {
    let told = 0;
    const events = bridge();
    events.replace([
      defineSubscriber({
        name: 'wide',
        events: ['**'],
        concurrency: 3,
        handle: () => {
          told += 1;
          return new Promise(() => undefined);
        },
      }),
    ]);
    for (let sent = 0; sent < 5; sent += 1) events.publish('step.execution.failed', () => made);
    expect(told).toBe(3);
  });

  it('delivers nothing more to a subscriber with a thousand events unfinished, and says so once', async () => {
    let told = 0;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const events = bridge();
    events.replace([
      defineSubscriber({
        name: 'stuck',
        events: ['**'],
        handle: () => {
          told += 1;
          return gate;
        },
      }),
    ]);
    lines.length = 0;
    for (let sent = 0; sent < 1_010; sent += 1) events.publish('step.execution.failed', () => made);
    expect(told).toBe(1);
    expect(lines).toEqual([
      {
        fields: { subscriber: 'stuck', dropped: 1, limit: 1_000 },
        message: 'a subscriber is too slow: events were not delivered to it',
      },
    ]);
    release();
    await events.drain();
    expect(told).toBe(1_000);
    events.publish('step.execution.failed', () => made);
    expect(told).toBe(1_001);
  });
});
