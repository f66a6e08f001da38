import { describe, expect, it } from '@jest/globals';
import { loadRightProject, messagesIn, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();
const messages = messagesIn(temporary);

const SUBSCRIBER = `import { defineSubscriber } from 'millrace';
export const logFailures = defineSubscriber({
  name: 'log_failures',
  events: ['*.execution.failed'],
  handle: ({ event_type }, { log }) => log.warn(event_type),
});
`;

describe('a subscriber', () => {
  it('is found in subscribers/', async () => {
    await writeProject(temporary.path, { 'subscribers/log-failures.ts': SUBSCRIBER });
    const { registry } = await loadRightProject(temporary.path);
    expect(registry.subscribers.get('log_failures')).toMatchObject({
      events: ['*.execution.failed'],
      site: { file: 'subscribers/log-failures.ts', line: 2 },
    });
  });

  it('is told of where it is wrong, all at once', async () => {
    const wrong = `import { defineSubscriber } from 'millrace';
export const a = defineSubscriber({ name: 'a b', events: ['**'], handle: () => {} });
export const b = defineSubscriber({ name: 'b', events: 'step.**', handle: () => {} });
export const c = defineSubscriber({ name: 'c', events: ['step..failed', 'x y'], handle: 'log' });
export const d = defineSubscriber({ name: 'd', events: [], handle: () => {}, concurrency: 0.5 });
export const e = defineSubscriber({ name: 'log_failures', events: ['**'], handle: () => {} });
`;
    expect(
      await messages({ 'subscribers/log.ts': SUBSCRIBER, 'subscribers/wrong.js': wrong }),
    ).toEqual([
      'subscribers/wrong.js:2:18  subscriber is called "a b"; a name starts with a letter and holds letters, digits, "-", "_" and "." only.',
      'subscribers/wrong.js:3:18  subscriber "b": events must be a list of at least one pattern: events: ["*.execution.failed"].',
      'subscribers/wrong.js:4:18  subscriber "c": "step..failed" is no pattern: between dots there are words of letters, digits, "_" and "-", or "*" for any word, or "**" for any number of them; not "".',
      'subscribers/wrong.js:4:18  subscriber "c": "x y" is no pattern: between dots there are words of letters, digits, "_" and "-", or "*" for any word, or "**" for any number of them; not "x y".',
      'subscribers/wrong.js:4:18  subscriber "c": handle must be a function: (event) => { … }.',
      'subscribers/wrong.js:5:18  subscriber "d": events must be a list of at least one pattern: events: ["*.execution.failed"].',
      'subscribers/wrong.js:5:18  subscriber "d": concurrency must be a whole number from 1 to 1000, not 0.5.',
      'subscribers/wrong.js:6:18  subscriber "log_failures" is already defined by subscribers/log.ts:2. Rename one of them.',
    ]);
  });

  it('is told of an `around` that nothing would call', async () => {
    const wrong = `import { defineSubscriber } from 'millrace';
const handle = () => {};
const around = (_event, run) => run();
export const a = defineSubscriber({ name: 'a', events: ['run.**', '*.execution.failed'], handle, around });
export const b = defineSubscriber({ name: 'b', events: ['step.**'], handle, around: true });
export const c = defineSubscriber({ name: 'c', events: ['x y'], handle, around });
export const d = defineSubscriber({ name: 'd', events: ['run.**', 'operation.*.started'], handle, around });
`;
    expect(await messages({ 'subscribers/wrong.js': wrong })).toEqual([
      'subscribers/wrong.js:4:18  subscriber "a": around is never called: none of its events is "step.execution.started" or "operation.execution.started".',
      'subscribers/wrong.js:5:18  subscriber "b": around must be a function: (event, run) => { …; run(); }.',
      expect.stringContaining('"x y" is no pattern'),
    ]);
  });

  it('that is not exported is warned of', async () => {
    const [warning] = await messages({
      'subscribers/log-failures.ts': SUBSCRIBER.replace('export ', ''),
    });
    expect(warning).toBe(
      'subscribers/log-failures.ts  warning:  exports no definition. Did you forget `export`?',
    );
  });
});
