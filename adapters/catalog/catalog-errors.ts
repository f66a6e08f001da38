/** The catalog's database cannot be opened or reached. */
export class CatalogUnavailable extends Error {
  override readonly name = 'CatalogUnavailable';
  /**
   * @param address - where it is, without the password
   * @param reason - what went wrong
   * @param remedy - what to do, in sentences
   */
  constructor(
    readonly address: string,
    reason: string,
    remedy: string,
    cause?: unknown,
  ) {
    super(`The catalog ${address} cannot be opened: ${reason.replace(/\.$/, '')}. ${remedy}`, {
      cause,
    });
  }
}

/** A newer version of this package has changed the catalog's tables, in ways that this one does not know. */
export class CatalogNewer extends Error {
  override readonly name = 'CatalogNewer';
  constructor(
    /** Where it is, without the password. */
    readonly address: string,
    /** Migrations that the catalog has and this version does not know. */
    readonly unknown: readonly string[],
    version: string,
  ) {
    super(
      `The catalog ${address} was changed by a newer version of millrace: it has the migrations ${unknown.join(', ')}, ` +
        `which version ${version} does not know. Run the newer version, or use another catalog.`,
    );
  }
}
