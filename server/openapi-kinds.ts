import type { JsonObject } from '../src/definition/json.js';
import type { Api } from './api-options.js';
import { ATTRIBUTE_COMPONENTS, attributePaths } from './attributes/openapi-attributes.js';
import { APPROVAL_COMPONENTS, approvalPaths } from './openapi-approvals.js';
import { DATA_FLOW_COMPONENTS, dataFlowPaths } from './openapi-data-flows.js';
import { RECORD_PIPELINE_COMPONENTS, recordPipelinePaths } from './openapi-record-pipelines.js';
import { SESSION_COMPONENTS, sessionPaths } from './openapi-session.js';
import type { OpenApiRequest } from './openapi.js';

/** Paths, and the components that they refer to. */
interface Part {
  readonly paths: readonly (readonly [string, JsonObject])[];
  readonly components: {
    readonly schemas: JsonObject;
    readonly parameters: JsonObject;
    readonly responses: JsonObject;
  };
}

/** What a document says of the kinds beside pipelines, of each that is served, and that the project has; of sessions, and of links of approvals. */
export function kindParts({ engine }: Api, request: OpenApiRequest) {
  const { dataFlows, heartbeat, recordPipelines, attributes, session, approvals } = request;
  const parts: Part[] = [];
  if (engine.dataFlowNames.length > 0)
    parts.push({
      paths: dataFlowPaths({ path: dataFlows, heartbeat }),
      components: DATA_FLOW_COMPONENTS,
    });
  if (recordPipelines !== undefined && engine.recordPipelines.names.length > 0)
    parts.push({
      paths: recordPipelinePaths(recordPipelines),
      components: RECORD_PIPELINE_COMPONENTS,
    });
  if (attributes !== undefined)
    parts.push({ paths: attributePaths(attributes), components: ATTRIBUTE_COMPONENTS });
  if (session !== undefined)
    parts.push({ paths: sessionPaths(session), components: SESSION_COMPONENTS });
  if (approvals !== undefined)
    parts.push({ paths: approvalPaths(approvals), components: APPROVAL_COMPONENTS });
  const all = (kind: keyof Part['components']): JsonObject =>
    Object.assign({}, ...parts.map(({ components }) => components[kind])) as JsonObject;
  return {
    paths: parts.flatMap(({ paths }) => paths),
    schemas: all('schemas'),
    parameters: all('parameters'),
    responses: all('responses'),
  };
}
