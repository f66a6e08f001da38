import { startSharedDevServer } from './shared-dev-server.js';
import { startSharedPostgres } from './shared-postgres.js';

/** The servers that all test files of a run share. */
export interface SharedServers {
  stop(): Promise<void>;
}

/** Starts them at the same time: Temporal's dev server and PostgreSQL. */
export async function startSharedServers(): Promise<SharedServers> {
  const [temporal, postgres] = await Promise.allSettled([
    startSharedDevServer(),
    startSharedPostgres(),
  ]);
  const stop = async (): Promise<void> => {
    await Promise.all([
      temporal.status === 'fulfilled' ? temporal.value.stop() : undefined,
      postgres.status === 'fulfilled' ? postgres.value.dispose() : undefined,
    ]);
  };
  if (temporal.status === 'fulfilled') return { stop };
  await stop();
  throw temporal.reason;
}
