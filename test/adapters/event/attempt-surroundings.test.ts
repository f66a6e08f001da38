import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { EventBridge } from '../../../adapters/event/event-bridge.js';
import { defineSubscriber, type Subscriber } from '../../../src/event/subscriber.js';
import { NO_SERVICES } from '../../../src/pipeline/context.js';
import { testLog } from '../../support/heard-events.js';

const { log, lines } = testLog();
beforeEach(() => {
  lines.length = 0;
});

const TYPE = 'step.execution.started';
const made = { task_uuid: '01J', payload: {}, timestamp: '2026-01-01T00:00:00.000Z' };

function bridgeOf(...subscribers: readonly Subscriber[]): EventBridge {
  const bridge = new EventBridge({ log, services: NO_SERVICES });
  bridge.replace(subscribers);
  return bridge;
}

function around(
  name: string,
  wrap: NonNullable<Subscriber['around']>,
  events: readonly string[] = ['**'],
): Subscriber {
  return defineSubscriber({ name, events, handle: () => undefined, around: wrap });
}

describe('what subscribers put around the code of an attempt', () => {
  const names = new AsyncLocalStorage<readonly string[]>();
  const naming = (name: string, events?: readonly string[]): Subscriber =>
    around(name, (_event, run) => names.run([...(names.getStore() ?? []), name], run), events);
  const found = async (): Promise<readonly string[] | undefined> => {
    await pause(1);
    return names.getStore();
  };

  it('is what the code finds, to its end, and nobody else', async () => {
    const bridge = bridgeOf(naming('outer'), naming('inner'));
    const running = bridge.run(TYPE, () => made, found);
    expect(names.getStore()).toBeUndefined();
    expect(await running).toEqual(['outer', 'inner']);
    expect(names.getStore()).toBeUndefined();
  });

  it('is there where a pattern means the beginning of the attempt', async () => {
    const bridge = bridgeOf(naming('operations', ['operation.**']), naming('all', ['*.*.started']));
    expect(await bridge.run(TYPE, () => made, found)).toEqual(['all']);
    bridge.replace([]);
    expect(await bridge.run(TYPE, () => made, found)).toBeUndefined();
  });

  it('comes after the event, which it gets', async () => {
    const told: unknown[] = [];
    const bridge = bridgeOf(
      defineSubscriber({
        name: 'teller',
        events: ['**'],
        handle: (event) => told.push(['handle', event]),
        around: (event, run, { services }) => {
          told.push(['around', event, services]);
          run();
        },
      }),
    );
    await bridge.run(
      TYPE,
      () => made,
      async () => told.push('code'),
    );
    const event = { event_type: TYPE, ...made };
    expect(told).toEqual([['handle', event], ['around', event, NO_SERVICES], 'code']);
  });

  it('makes no event, and costs no call, where nobody listens', async () => {
    const unheard = (): never => {
      throw new Error('made');
    };
    expect(await bridgeOf().run(TYPE, unheard, async () => 7)).toBe(7);
  });

  it.each<readonly [string, NonNullable<Subscriber['around']>]>([
    [
      'throws before it runs the code',
      () => {
        throw new Error('no');
      },
    ],
    [
      'throws when it has run the code',
      (_event, run) => {
        run();
        throw new Error('no');
      },
    ],
    ['rejects later', (_event, run) => Promise.reject(new Error('no')).finally(run)],
    ['does not run the code', () => undefined],
  ])('harms nothing where it %s', async (_how, wrap) => {
    let calls = 0;
    const bridge = bridgeOf(around('bad', wrap), naming('good'));
    const result = await bridge.run(
      TYPE,
      () => made,
      async () => {
        calls += 1;
        return found();
      },
    );
    expect([result, calls]).toEqual([['good'], 1]);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines).toEqual(
      lines.map(() => ({
        fields: { subscriber: 'bad', event: TYPE, task: '01J', err: expect.any(Error) },
        message: 'a subscriber failed',
      })),
    );
  });

  it('runs the code once, however often it is asked to', async () => {
    let calls = 0;
    const bridge = bridgeOf(
      around('eager', (_event, run) => {
        run();
        run();
      }),
    );
    await bridge.run(
      TYPE,
      () => made,
      async () => (calls += 1),
    );
    expect([calls, lines]).toEqual([1, []]);
  });

  it('lets through how the code fails, which is no fault of a subscriber', async () => {
    const bridge = bridgeOf(naming('one'), naming('two'));
    const failing = bridge.run(
      TYPE,
      () => made,
      async () => Promise.reject(new RangeError('7')),
    );
    await expect(failing).rejects.toThrow(new RangeError('7'));
    expect(lines).toEqual([]);
  });
});
