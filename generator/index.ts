/** What `millrace/generator` exports: what `millrace install`, `generate`, `template` and `plugin` do, for programs and for tests of plugins. */
export {
  findTemplate,
  generate,
  type Generated,
  type GenerateRequest,
  type OfferedTemplate,
} from './generate.js';
export { HANDLER_TYPES, KINDS, templateOf } from './kinds.js';
export {
  applyInstall,
  planInstall,
  type InstallOptions,
  type InstallPlan,
} from './install/install.js';
export {
  loadPlugin,
  type LoadedPlugin,
  type Plugin,
  type PluginTemplate,
} from './plugin/plugin.js';
export { projectPlugins } from './plugin/project-plugins.js';
export type { FoundPlugins } from './plugin/search.js';
export type { TemplateParameter } from './plugin/manifest.js';
export type { FileChange, GeneratedFile } from './project/changes.js';
export type { TestRunner } from '../engine/project/test-runner.js';
export type { ProjectFacts } from './project/facts.js';
export { GenerationRefused } from './refusal.js';
export { renderTemplate, type RenderOptions } from './template/render.js';
