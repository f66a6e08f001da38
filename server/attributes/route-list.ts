import { attributeDefinitionRoutes } from './attribute-definitions.js';
import type { AttributeRoute } from './attribute-route.js';
import { evalRoutes } from './evals.js';
import { insightRoutes } from './insight.js';
import { entityRoutes } from './entities.js';
import { entityTypeRoutes } from './entity-types.js';
import { pipelineModuleRoutes } from './pipeline-modules.js';
import { pipelineRoutes } from './pipelines.js';
import { refreshRoutes } from './refreshes.js';
import { runRoutes } from './runs.js';
import { valueRoutes } from './values.js';

/** All routes of entities, attributes and their pipelines. Those with fixed paths come before those with parameters. */
export const ATTRIBUTE_ROUTES: readonly AttributeRoute[] = [
  ...entityTypeRoutes,
  ...attributeDefinitionRoutes,
  ...valueRoutes,
  ...entityRoutes,
  ...runRoutes,
  ...refreshRoutes,
  ...insightRoutes,
  ...pipelineRoutes,
  ...evalRoutes,
  ...pipelineModuleRoutes,
];
