import type { ProjectConfig } from '../src/config/project-config.js';
import type { Services } from '../src/pipeline/context.js';

/** The services of a project, built for one worker. */
export interface ProjectServices {
  readonly services: Services;
  /** Closes what they hold, as the config says. */
  dispose(): Promise<void>;
}

/** The project's services cannot be built, so that no operation could run as it is meant to. */
export class ServicesFailed extends Error {
  override readonly name = 'ServicesFailed';
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`\`services\` of millrace.config.ts failed: ${reason}`, { cause });
  }
}

/** Builds the services that the config names. @throws {@link ServicesFailed} */
export async function buildServices({
  services: given,
  disposeServices,
}: Pick<ProjectConfig, 'services' | 'disposeServices'>): Promise<ProjectServices> {
  try {
    // A config's function has the signature that its type says.
    const services =
      typeof given === 'function' ? await (given as () => Services | Promise<Services>)() : given;
    return { services, dispose: async () => disposeServices?.(services) };
  } catch (error) {
    throw new ServicesFailed(error);
  }
}
