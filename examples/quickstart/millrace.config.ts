import { defineConfig } from 'millrace';

export default defineConfig({
  // Every pipeline gets POST /pipelines/<name>, /stream and /async.
  catchAllRoutes: true,
});
