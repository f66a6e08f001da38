import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { defineRecordPipeline, step } from '../../../adapters/record-store/index.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { drain } from './draining.js';
import { usersWith } from './guide-users.js';
import { PROCESSORS } from './staff-store.js';

/** The rest of the guide (seed 004): going back, what is on the disk, and commands. */
describe.each(PROCESSORS)('the guide of record pipelines, %s', (_kind, processor) => {
  const folder = useTemporaryDirectory();

  const users = (...names: readonly string[]) => usersWith(folder.path, names);

  it('recovering: what failed is mended, and the run goes on from the version that is restored', async () => {
    const store = await users('User0', 'User1', 'User2', 'User3', 'User4');
    const addresses: Readonly<Record<string, string>> = {
      User0: '0@x',
      User1: '1@x',
      User2: '2@x',
    };
    const sent: string[] = [];
    const sending = (addressOf: (name: string) => string | undefined) =>
      defineRecordPipeline(store, {
        name: 'sending',
        processor,
        steps: [
          step({
            label: 'send email',
            records: (s) => s.user.where({ processed: false }),
            each: async ({ record: user, assert }) => {
              const email = addressOf(user.name);
              await Promise.resolve();
              assert(email !== undefined, `no email of ${user.name}`);
              sent.push(`${user.name}: ${email ?? ''}`);
              user.update({ email: email ?? null, processed: true });
            },
          }),
        ],
      });
    const first = await drain(sending((name) => addresses[name]));
    expect(first.errors[0]?.message).toMatch(/^no email of User[34]$/);
    await store.snapshot();
    const count = (at: number): number =>
      store.versions[at]?.user.where({ processed: true }).count() ?? -1;
    expect([count(0), count(1)]).toEqual([0, 3]);

    await store.restore(store.versions[1] ?? '');
    expect(store.user.where({ processed: true }).count()).toBe(3);
    const second = await drain(sending((name) => addresses[name] ?? 'default@example.com'));
    expect(second.counts).toEqual({ completed: 2, failed: 0 });
    expect(sent).toHaveLength(5);
    expect(store.user.where({ email: 'default@example.com' }).pluck('name')).toEqual([
      'User3',
      'User4',
    ]);
    await store.restore(store.versions[0] ?? '');
    expect((await drain(sending(() => 'again@x'))).counts.completed).toBe(5);
    store.close();
  });

  it('commands: give what they wrote, throw where they have to succeed, and stream', async () => {
    const store = await users('one', 'two', 'fails');
    const lines: string[] = [];
    const { failures } = await drain(
      defineRecordPipeline(store, {
        name: 'commands',
        processor,
        onError: 'continue',
        steps: [
          step({
            label: 'run',
            records: (s) => s.user.where({ processed: false }),
            each: async ({ record: user, shell }) => {
              const script = user.name === 'fails' ? 'echo no >&2; exit 3' : `echo ${user.name}`;
              const result = await shell.run(script, {
                onLine: (stream, line) => lines.push(`[${stream}] ${line}`),
              });
              expect(result).toEqual(
                user.name === 'fails'
                  ? { stdout: '', stderr: 'no', success: false, exitCode: 3, command: script }
                  : {
                      stdout: user.name,
                      stderr: '',
                      success: true,
                      exitCode: 0,
                      command: script,
                    },
              );
              const output = await shell.runOrThrow(script);
              user.update({ email: output, processed: true });
            },
          }),
        ],
      }),
    );
    expect(lines.sort()).toEqual(['[stderr] no', '[stdout] one', '[stdout] two']);
    expect(failures).toMatchObject([
      { name: 'ShellFailed', message: 'echo no >&2; exit 3 ended with the code 3: no' },
    ]);
    expect(store.user.where({ processed: true }).pluck('email')).toEqual(['one', 'two']);
    store.close();
  });

  it('storage: one database, and whole ones in versions/', async () => {
    const store = await users('Alice');
    await drain(
      defineRecordPipeline(store, {
        name: 'storing',
        processor,
        steps: [
          step({
            label: 'process',
            records: (s) => s.user.where({ processed: false }),
            each: ({ record: user }) => {
              user.update({ processed: true });
            },
          }),
        ],
      }),
    );
    store.close();
    expect(readdirSync(folder.path).sort()).toEqual(['db.sqlite3', 'versions']);
    const processed = readdirSync(join(folder.path, 'versions'))
      .sort()
      .map((name) => {
        const db = new Sqlite(join(folder.path, 'versions', name), { readonly: true });
        const value: unknown = db.prepare('select processed from users').pluck().get();
        db.close();
        return value;
      });
    // After the transaction, and at the end of the step.
    expect(processed).toEqual([0, 1]);
  });
});
