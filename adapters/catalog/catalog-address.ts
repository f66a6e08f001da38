import { isAbsolute, resolve } from 'node:path';
import { CatalogUnavailable } from './catalog-errors.js';

/** Where a catalog is. `address` is for people: it never has the password. */
export type CatalogAddress =
  | { readonly kind: 'sqlite'; readonly address: string; readonly file: string }
  | { readonly kind: 'postgres'; readonly address: string; readonly url: string };

const FORMS =
  'Write it as sqlite:/path/to/catalog.db or as postgres://user:password@host:5432/database.';

/**
 * Reads `sqlite:<absolute path>`, `postgres://…` or `postgresql://…`.
 *
 * @throws {@link CatalogUnavailable} for anything else
 */
export function catalogAddress(url: string): CatalogAddress {
  if (url.startsWith('sqlite:')) return sqliteAddress(url.slice('sqlite:'.length));
  const [scheme] = /^postgres(?:ql)?:\/\//.exec(url) ?? [];
  if (scheme === undefined)
    throw new CatalogUnavailable('(its address)', 'this is no address of a catalog', FORMS);
  // What cannot be parsed may have its password anywhere, so nothing of it is shown.
  if (!URL.canParse(url)) {
    throw new CatalogUnavailable(
      `${scheme}…`,
      'its address is not a URL',
      `${FORMS} Characters such as @, / and # in the user name or the password are percent-encoded.`,
    );
  }
  return { kind: 'postgres', address: withoutSecrets(new URL(url)), url };
}

function sqliteAddress(file: string): CatalogAddress {
  if (!isAbsolute(file))
    throw new CatalogUnavailable(`sqlite:${file}`, 'its path is not absolute', FORMS);
  const path = resolve(file);
  return { kind: 'sqlite', address: `sqlite:${path}`, file: path };
}

/** The query is left out but for the host, which may be a socket's folder: passwords can be in it too. */
function withoutSecrets({ protocol, username, host, pathname, searchParams }: URL): string {
  const user = username === '' ? '' : `${username}@`;
  const socket = host === '' ? searchParams.get('host') : null;
  return `${protocol}//${user}${host}${pathname}${socket === null ? '' : `?host=${socket}`}`;
}
