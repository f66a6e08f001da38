import { afterEach, describe, expect, it } from '@jest/globals';
import { EventBridge } from '../../adapters/event/event-bridge.js';
import { InvalidSubscription, subscribe } from '../../engine/subscribe.js';
import { NO_SERVICES } from '../../src/pipeline/context.js';
import { testLog } from '../support/heard-events.js';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const bridge = (): EventBridge => new EventBridge({ log: testLog().log, services: NO_SERVICES });
const made = { task_uuid: '01J', payload: {}, timestamp: '2026-01-01T00:00:00.000Z' };

describe('subscribe', () => {
  it('tells of events by a pattern, whichever worker publishes them, until it is ended', () => {
    const told: string[] = [];
    const end = subscribe('*.execution.failed', ({ event_type: type }) => told.push(type));
    ends.push(end);
    for (const type of ['step.execution.failed', 'step.execution.started', 'flow.execution.failed'])
      bridge().publish(type, () => made);
    expect(told).toEqual(['step.execution.failed', 'flow.execution.failed']);
    end();
    bridge().publish('step.execution.failed', () => made);
    expect(told).toHaveLength(2);
  });

  it('guards the process against what the function throws', () => {
    const own = testLog();
    ends.push(
      subscribe(
        '**',
        () => {
          throw new Error('no');
        },
        { log: own.log },
      ),
    );
    bridge().publish('step.execution.failed', () => made);
    expect(own.lines).toMatchObject([{ message: 'a subscriber failed' }]);
  });

  it('refuses what is no pattern, and no number of events at once', () => {
    expect(() => subscribe('step.*failed', () => undefined)).toThrow(InvalidSubscription);
    expect(() => subscribe('step.**', () => undefined, { concurrency: 0 })).toThrow(
      new InvalidSubscription(
        'step.**',
        { concurrency: 0 },
        'concurrency must be a whole number from 1 to 1000, not 0.',
      ),
    );
  });

  it('does not call the function any more when it is ended, though events wait for it', async () => {
    const told: unknown[] = [];
    const end = subscribe('**', ({ task_uuid: task }) => {
      told.push(task);
      return Promise.resolve();
    });
    ends.push(end);
    for (const task of ['01J', '01K'])
      bridge().publish('step.execution.failed', () => ({ ...made, task_uuid: task }));
    end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual(['01J']);
  });
});
