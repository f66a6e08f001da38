import { describe, expect, it } from '@jest/globals';
import { catalogAddress } from '../../../adapters/catalog/catalog-address.js';

describe("a catalog's address", () => {
  it.each([
    ['sqlite:/var/lib/millrace/catalog.db', '/var/lib/millrace/catalog.db'],
    ['sqlite:///var/lib/../lib/a b.db', '/var/lib/a b.db'],
  ])('can be a SQLite file: %s', (url, file) => {
    expect(catalogAddress(url)).toEqual({ kind: 'sqlite', address: `sqlite:${file}`, file });
  });

  it.each([
    ['postgres://ann:s3cret@db.example:5433/flows', 'postgres://ann@db.example:5433/flows'],
    [
      'postgresql://ann:s3%2Fcret@db.example/flows?sslmode=require',
      'postgresql://ann@db.example/flows',
    ],
    ['postgres://db/flows?user=ann&password=s3cret', 'postgres://db/flows'],
    ['postgres:///flows?host=/run/pg&password=s3cret', 'postgres:///flows?host=/run/pg'],
  ])('can be a PostgreSQL, and is shown without its password: %s', (url, address) => {
    expect(catalogAddress(url)).toEqual({ kind: 'postgres', address, url });
  });

  it.each([
    ['', /sqlite:\/path\/to\/catalog\.db or as postgres:/],
    ['mysql://ann:s3cret@db/flows', /no address of a catalog/],
    ['sqlite:catalog.db', /sqlite:catalog\.db cannot be opened: its path is not absolute/],
    ['sqlite::memory:', /not absolute/],
    ['postgres://ann:s3cret#1@db/flows', /^The catalog postgres:\/\/… .* percent-encoded\.$/],
  ])('is refused with what to write instead: %s', (url, message) => {
    expect(() => catalogAddress(url)).toThrow(
      expect.objectContaining({
        name: 'CatalogUnavailable',
        message: expect.stringMatching(message),
      }),
    );
    expect(() => catalogAddress(url)).not.toThrow(/s3cret/);
  });
});
