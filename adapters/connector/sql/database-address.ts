import path from 'node:path';
import { z } from 'zod';

/** Where a database is. */
export type DatabaseAddress =
  | { readonly kind: 'sqlite'; /** Absolute. */ readonly path: string }
  | {
      readonly kind: 'postgres';
      /** May hold a password: never part of a message. */ readonly url: string;
    };

/** The option that says where a database is. */
export const database = z
  .string()
  .regex(/^(sqlite:.|postgres(ql)?:\/\/)/, 'Expected `sqlite:<path>` or `postgres://…`.')
  .describe(
    "`sqlite:<path>`, where a relative path starts in the project's folder, or `postgres://user:password@host/name`.",
  );

/** What the option says. */
export function databaseAddress(option: string, dir: string): DatabaseAddress {
  const prefix = 'sqlite:';
  return option.startsWith(prefix)
    ? { kind: 'sqlite', path: path.resolve(dir, option.slice(prefix.length)) }
    : { kind: 'postgres', url: option };
}

/** Which database the option means, whoever asks for it: without user and password, which change. */
export function databaseIdentity(option: string): string {
  const prefix = 'sqlite:';
  // As it is written: the project's folder is another one with each deploy.
  if (option.startsWith(prefix)) return `${prefix}${path.normalize(option.slice(prefix.length))}`;
  if (!URL.canParse(option)) return 'postgres:';
  const { hostname, port, pathname, searchParams } = new URL(option);
  const host = searchParams.get('host') ?? hostname;
  return `postgres://${host}:${port === '' ? '5432' : port}${pathname}`;
}
