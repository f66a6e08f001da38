import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  STAMP_EVERY_MS,
  stampMachine,
  unstampMachine,
} from '../../../adapters/record-store/store-machine.js';
import { StoreUnusable } from '../../../src/record-store/errors.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

describe('the machine that uses a store', () => {
  const folder = useTemporaryDirectory();
  const file = () => join(folder.path, 'machine.json');
  const at = new Date('2026-11-26T08:00:00Z');
  const later = (ms: number): Date => new Date(at.getTime() + ms);

  it('keeps others out, until it has said nothing for long', () => {
    stampMachine(folder.path, at);
    stampMachine(folder.path, later(STAMP_EVERY_MS));
    const own = JSON.parse(readFileSync(file(), 'utf8')) as object;
    expect(own).toMatchObject({ pid: process.pid, at: later(STAMP_EVERY_MS).toISOString() });
    writeFileSync(file(), JSON.stringify({ ...own, machine: 'another', host: 'mill-2' }));
    const before = readFileSync(file(), 'utf8');
    const intrude = () => {
      stampMachine(folder.path, later(2 * STAMP_EVERY_MS));
    };
    expect(intrude).toThrow(StoreUnusable);
    expect(intrude).toThrow(`${folder.path}: is in use on the machine mill-2`);
    expect(readFileSync(file(), 'utf8')).toBe(before);
    stampMachine(folder.path, later(10 * STAMP_EVERY_MS));
    expect(JSON.parse(readFileSync(file(), 'utf8'))).not.toMatchObject({ machine: 'another' });
  });

  it('lets others in at once when it has done with it', () => {
    stampMachine(folder.path, at);
    unstampMachine(folder.path);
    expect(existsSync(file())).toBe(false);
    // That of another process stays.
    writeFileSync(
      file(),
      JSON.stringify({ machine: 'm', host: 'h', pid: 1, at: at.toISOString() }),
    );
    unstampMachine(folder.path);
    expect(existsSync(file())).toBe(true);
  });

  it('is said anew where what was said cannot be read', () => {
    writeFileSync(file(), '{"machine":');
    stampMachine(folder.path, at);
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ at: at.toISOString() });
  });
});
