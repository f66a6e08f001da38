import type { WorkflowDefinitionOptions } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';

/**
 * Where builds are pinned, what our own workflows do outlives a build: deliveries go on for a day, triggers as long as a run. Elsewhere nothing may be said:
 * a server refuses versioning behaviour from workers without versions, and the workflow task is tried again for ever.
 */
export function onTheCurrentBuild(): WorkflowDefinitionOptions {
  // A worker without versions has a build id all the same, of no deployment.
  const { deploymentName = '' } = workflowInfo().currentDeploymentVersion ?? {};
  return deploymentName === '' ? {} : { versioningBehavior: 'AUTO_UPGRADE' };
}
