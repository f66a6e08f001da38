import { defineConfig } from 'millrace';

export default defineConfig({
  // Every task gets POST /tasks/<name> and what belongs to it.
  catchAllRoutes: true,
});
