/** Options that are as another one where nothing is written. */
export const AS_ANOTHER: Readonly<Record<string, string>> = {
  'dataFlows.routes': 'catchAllRoutes',
  'recordPipelines.routes': 'catchAllRoutes',
  'attributes.routes': 'catchAllRoutes',
};

/** Variables of the environment that stand in where nothing is written: other programs read them, too. */
export const STAND_INS: Readonly<Record<string, string>> = {
  'catalog.url': 'DATABASE_URL',
  'temporal.address': 'TEMPORAL_ADDRESS',
  'temporal.namespace': 'TEMPORAL_NAMESPACE',
  'temporal.profile': 'TEMPORAL_PROFILE',
};

/** Defaults that no schema has. */
export const OTHER_DEFAULTS: Readonly<Record<string, string>> = {
  'catalog.url': 'sqlite:.millrace/catalog.db',
};
