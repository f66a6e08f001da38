import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createShell } from '../../../adapters/shell/shell.js';
import { shell, ShellFailed } from '../../../adapters/record-store/index.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { until } from '../../support/until.js';

describe('a shell', () => {
  const folder = useTemporaryDirectory();
  const file = (name: string): string => join(folder.path, name);

  it('tells whether a command has succeeded, and what it wrote', async () => {
    const node = await shell.run('which node');
    expect(node).toMatchObject({ success: true, exitCode: 0, stderr: '', command: 'which node' });
    expect(node.stdout).toMatch(/node$/);
    expect(await shell.run('echo out; echo err >&2; exit 4')).toEqual({
      stdout: 'out',
      stderr: 'err',
      success: false,
      exitCode: 4,
      command: 'echo out; echo err >&2; exit 4',
    });
    expect(await shell.run('no-such-command')).toMatchObject({ success: false, exitCode: 127 });
  });

  it('gives the output of a command that has to succeed, or throws with what it said', async () => {
    expect(await shell.runOrThrow('node --version')).toBe(process.version);
    const failed: unknown = await shell
      .runOrThrow('echo half; echo broken >&2; exit 2')
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ShellFailed);
    expect(failed).toMatchObject({
      message: 'echo half; echo broken >&2; exit 2 ended with the code 2: broken',
      result: { stdout: 'half', exitCode: 2 },
    });
  });

  it('has a folder, an environment and an input where it is given them', async () => {
    writeFileSync(file('note.txt'), 'a note\n');
    const command = 'cat note.txt; cat; echo "$WHO"';
    const { stdout } = await shell.run(command, {
      cwd: folder.path,
      env: { WHO: 'Ann' },
      input: 'typed\n',
    });
    expect(stdout).toBe('a note\ntyped\nAnn');
    // Nobody waits for what nobody types.
    expect(await shell.run('cat')).toMatchObject({ success: true, stdout: '' });
  });

  it('gives each line as it is written, while the command goes on', async () => {
    const lines: string[] = [];
    const go = file('go');
    const { stdout } = await shell.run(
      `echo first; echo wrong >&2; while [ ! -f ${go} ]; do sleep 0.02; done; printf last`,
      {
        onLine: (stream, line) => {
          lines.push(`[${stream}] ${line}`);
          if (lines.length === 2) writeFileSync(go, '');
        },
      },
    );
    expect([...lines].sort()).toEqual(['[stderr] wrong', '[stdout] first', '[stdout] last']);
    expect(stdout).toBe('first\nlast');
  });

  it('ends a command, with all that it has started, when its run is cancelled', async () => {
    const controller = new AbortController();
    const pids = file('pids');
    const running = createShell(controller.signal).run(
      `(sleep 60 & echo $! >> ${pids}; wait) & echo $! >> ${pids}; echo $$ >> ${pids}; wait`,
    );
    const started = await until(async () => {
      const found = read(pids);
      return found.length === 3 ? found : undefined;
    });
    controller.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    await until(async () => started.every((pid) => !isAlive(pid)) || undefined);
    await expect(createShell(controller.signal).run('true')).rejects.toThrow('cancelled');
  });

  it('ends a command that takes longer than it may, or whose lines nobody can take', async () => {
    expect(await shell.run('sleep 60', { timeoutMs: 50 })).toMatchObject({
      success: false,
      exitCode: undefined,
    });
    const pids = file('pids');
    const running = shell.run(`echo $$ > ${pids}; echo line; exec sleep 60`, {
      onLine: () => {
        throw new Error('not that line');
      },
    });
    await expect(running).rejects.toThrow('not that line');
    await until(async () => read(pids).every((pid) => !isAlive(pid)) || undefined);
  });
});

function read(pids: string): readonly number[] {
  try {
    return readFileSync(pids, 'utf8').trim().split('\n').map(Number);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // What has ended, and was waited for by nobody yet, is there by its name only.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}
