import { rm } from 'node:fs/promises';

/** Ends the servers that global-setup.mjs has started. */
export default async function tearDown() {
  const { servers, bundle } = globalThis.sharedServers;
  await servers.stop();
  await rm(bundle, { force: true });
}
