import { createModels } from '../adapters/language-model/models.js';
import type { Project } from '../engine/project/load-project.js';
import { resolveReferences, secretSources, type Environment } from '../engine/project/secrets.js';
import { knownOptions } from '../src/data-flow/known-options.js';
import type { Log, ModelReference } from '../src/pipeline/context.js';

/** The models of a project, ready to be called by a worker. References are resolved at first use. */
export function projectModels(
  project: Project,
  env: Environment,
  log: Log,
): ReadonlyMap<string, ModelReference> {
  const sources = secretSources(project, env);
  return createModels(project.models, {
    resolve: (text) => resolveReferences(text, sources),
    warn: (message) => log.warn(message),
  });
}

/**
 * Looks whether everything that the project's models, webhooks, approvals and data flows refer to is there, and gives the
 * secrets of webhooks and approvals.
 *
 * @throws {@link UnresolvedReferences} naming all that is missing
 */
export async function resolveSecrets(
  project: Project,
  env: Environment,
): Promise<{
  readonly webhookSecrets: readonly string[];
  readonly approvalSecrets: readonly string[];
}> {
  const { webhooks, approvals } = project.config;
  const needed = {
    models: Object.fromEntries(project.models),
    webhooks: webhooks.secrets,
    approvals: approvals?.secrets ?? [],
    dataFlows: [...project.registry.dataFlows.values()].flatMap(knownOptions),
  };
  const resolved = await resolveReferences(needed, secretSources(project, env));
  return { webhookSecrets: resolved.webhooks, approvalSecrets: resolved.approvals };
}
