import { rm } from 'node:fs/promises';

/** Ends the dev server that global-setup.mjs has started. */
export default async function tearDown() {
  const { server, bundle } = globalThis.sharedDevServer;
  await server.stop();
  await rm(bundle, { force: true });
}
