import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { resolveReferences, UnresolvedReferences } from '../../../engine/project/secrets.js';
import { isReference, references } from '../../../src/config/references.js';
import { writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();

describe('references', () => {
  it('are found anywhere in a value, with the way to them', () => {
    expect(
      references({
        a: ['x ${ONE} ${TWO}'],
        b: { c: 'Bearer secret://api/key.' },
        d: 7,
        e: '$NOT {NOT} secret:/not',
      }),
    ).toEqual([
      { kind: 'env', name: 'ONE', path: ['a', 0] },
      { kind: 'env', name: 'TWO', path: ['a', 0] },
      { kind: 'secret', name: 'api/key', path: ['b', 'c'] },
    ]);
  });

  it('are told from texts that hold more than one', () => {
    expect(
      ['${ONE}', 'secret://a/b-c.d', 'x${ONE}', 'secret://', 'plain', '${ONE}${TWO}'].map(
        isReference,
      ),
    ).toEqual([true, true, false, false, false, false]);
  });
});

describe('resolving references', () => {
  it('puts in variables and secrets and leaves everything else as it is', async () => {
    const value = {
      key: '${KEY}',
      header: 'Bearer secret://api/key',
      list: [1, null, true, 'plain'],
      twice: '${KEY}${KEY}',
    };
    expect(await resolveReferences(value, { env: { KEY: 'k$&', API_KEY: 'secret' } })).toEqual({
      key: 'k$&',
      header: 'Bearer secret',
      list: [1, null, true, 'plain'],
      twice: 'k$&k$&',
    });
  });

  it('finds a secret in a file where no variable has it', async () => {
    await writeProject(temporary.path, { 'api/key': 'from a file\n', outside: 'no' });
    const sources = { env: { OTHER: 'from a variable' }, folder: temporary.path };
    expect(await resolveReferences(['secret://api/key', 'secret://other'], sources)).toEqual([
      'from a file',
      'from a variable',
    ]);
    await expect(
      resolveReferences('secret://api/../../outside', {
        ...sources,
        folder: join(temporary.path, 'api'),
      }),
    ).rejects.toThrow('There is no secret');
  });

  it('asks the function of the config instead, once for each name', async () => {
    const asked: string[] = [];
    const secrets = async (name: string): Promise<string | undefined> => {
      asked.push(name);
      return name === 'known' ? 'answer' : undefined;
    };
    expect(
      await resolveReferences(['secret://known', 'secret://known'], {
        env: { KNOWN: 'not this' },
        secrets,
      }),
    ).toEqual(['answer', 'answer']);
    expect(asked).toEqual(['known']);
    await expect(resolveReferences('secret://unknown', { env: {}, secrets })).rejects.toThrow(
      'The config\'s secrets function knows no "unknown".',
    );
  });

  it('names everything that is missing, and what to do', async () => {
    const failed = resolveReferences(
      { a: '${NO_KEY}', b: 'secret://no/key', c: '${EMPTY}' },
      { env: { EMPTY: '' }, folder: '/run/secrets' },
    );
    await expect(failed).rejects.toThrow(UnresolvedReferences);
    await expect(failed).rejects.toMatchObject({
      references: ['${NO_KEY}', 'secret://no/key', '${EMPTY}'],
      message:
        'The environment variable NO_KEY is not set. There is no secret "no/key": set the environment variable NO_KEY or write the file /run/secrets/no/key. The environment variable EMPTY is not set.',
    });
  });
});
