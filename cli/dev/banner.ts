import { relative } from 'node:path';
import pc from 'picocolors';
import { STATE_FOLDER } from '../../engine/dev-server/dev-record.js';
import type { Project } from '../../engine/project/load-project.js';
import type { Definition } from '../../engine/registry.js';
import { exampleInput, isCertainExample } from '../../src/contract/example-input.js';
import type { JsonObject } from '../../src/definition/json.js';
import { VERSION } from '../../src/version.js';
import { codeCounts } from '../code-counts.js';
import { counted } from '../problem-report.js';
import { NO_ROUTES } from '../listen-options.js';
import type { DevTemporal } from './dev-temporal.js';

/** What the first screen tells. */
export interface BannerFacts {
  readonly project: Project;
  readonly temporal: DevTemporal;
  readonly httpUrl: string;
  /** The port that was asked for and could not be had. */
  readonly busyPort: number | undefined;
  readonly insecure: boolean;
  readonly taskQueue: string;
}

/** The first screen of `millrace dev`: where everything is, and lines to try that work when pasted. */
export function banner(facts: BannerFacts): string {
  const { project, taskQueue } = facts;
  const lines = [
    '',
    `  ${pc.bold('Millrace')} ${VERSION}`,
    '',
    `  ${pc.bold('Temporal')}   ${temporalLine(facts)}`,
    `  ${pc.bold('HTTP')}       ${httpLine(facts)}`,
    `  ${pc.bold('Worker')}     queue "${taskQueue}", ${countLine(project)}`,
    '',
    ...tryLines(facts).flatMap((line) => [line === '' ? '' : `  ${line}`]),
    '',
    `  Watching ${shownDir(project.dir)} for changes. Ctrl-C stops; runs in progress continue at the next start.`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** `3 pipelines, 1 task, 1 data flow, 5 operations, 4 step handlers`. */
export function countLine({ registry }: Pick<Project, 'registry'>): string {
  const definitions = [...registry.definitions.values()];
  const count = (kind: Definition['kind']): number =>
    definitions.filter((definition) => definition.kind === kind).length;
  const [workflows, tasks] = [count('workflow'), count('task')];
  return [
    counted(count('pipeline'), 'pipeline'),
    ...(workflows === 0 ? [] : [counted(workflows, 'workflow')]),
    ...(tasks === 0 ? [] : [counted(tasks, 'task')]),
    ...(registry.dataFlows.size === 0 ? [] : [counted(registry.dataFlows.size, 'data flow')]),
    ...(registry.recordPipelines.size === 0
      ? []
      : [counted(registry.recordPipelines.size, 'record pipeline')]),
    ...codeCounts(registry),
  ].join(', ');
}

/** A folder as a person in the working directory would name it. */
export function shownDir(dir: string): string {
  const path = relative(process.cwd(), dir);
  return path === '' ? 'this folder' : path.startsWith('..') ? dir : path;
}

function temporalLine({ project, temporal: { settings, embedded } }: BannerFacts): string {
  if (embedded === undefined) return `${settings.address}, namespace "${settings.namespace}"`;
  const state = relative(process.cwd(), project.dir);
  const where = `${state === '' ? '' : state.startsWith('..') ? `${project.dir}/` : `${state}/`}${STATE_FOLDER}`;
  return `embedded, ${pc.cyan(embedded.uiUrl ?? `grpc ${embedded.address}`)}     ${pc.dim(`(state in ${where})`)}`;
}

function httpLine({ httpUrl, busyPort, insecure, project }: BannerFacts): string {
  const notes = [
    ...(busyPort === undefined ? [] : [`port ${String(busyPort)} is in use`]),
    ...(project.config.apiAuthentication !== undefined
      ? ['requests are authenticated']
      : [
          insecure
            ? 'INSECURE: anybody who reaches it can run pipelines'
            : 'loopback only: no authentication configured',
        ]),
  ];
  const shown = notes.join('; ');
  return `${pc.cyan(httpUrl)}               ${insecure ? pc.yellow(`(${shown})`) : pc.dim(`(${shown})`)}`;
}

function tryLines(facts: BannerFacts): readonly string[] {
  const { registry, config } = facts.project;
  const definitions = [...registry.definitions.values()];
  if (definitions.length === 0) {
    const [flow] = registry.dataFlows.values();
    if (flow !== undefined) return flowLines(facts, flow.name);
    const [records] = registry.recordPipelines.keys();
    if (records !== undefined) return ['Try it:', `  npx millrace records run ${records}`];
    return [
      'Nothing is defined here yet. Put operations into operations/ and pipelines into pipelines/, or handlers into handlers/ and tasks into tasks/; they are served when saved.',
    ];
  }
  if (!config.catchAllRoutes && config.routes.length === 0)
    return [`${NO_ROUTES} Without HTTP:`, ...runLines(definitions)];
  const shown = definitions.filter((definition) => placeOf(definition, config) !== undefined);
  const example = firstExample(shown);
  return example === undefined
    ? [`Look at what there is: ${pc.cyan(`curl ${facts.httpUrl}/pipelines`)}`]
    : curlLines(facts, example);
}

function curlLines(
  { project: { config }, httpUrl }: BannerFacts,
  { input, ...definition }: Example,
): readonly string[] {
  const { path, stream } = placeOf(definition, config) ?? { path: '', stream: false };
  const body = JSON.stringify(input);
  const post = (suffix: string, option = ''): string =>
    `  curl ${option}${httpUrl}${path}${suffix} -H 'content-type: application/json' -d ${shellQuoted(body)}`;
  return [
    stream ? 'Try it, then watch it:' : 'Try it:',
    post(''),
    ...(stream ? [post('/stream', '-N ')] : []),
    ...authenticationLines(config.apiAuthentication !== undefined, 'apiAuthentication'),
  ];
}

/** For a project that has data flows alone. */
function flowLines(
  { project: { registry, config }, httpUrl }: BannerFacts,
  name: string,
): readonly string[] {
  const run = `  npx millrace flows run ${name}`;
  if (!config.dataFlows.routes) return ['Try it:', run];
  const { endpointPath, authenticationEnabled } = config.dataFlows.heartbeat;
  const beats = [...registry.dataFlows.values()].some(
    ({ schedule }) => schedule.kind === 'heartbeat',
  );
  return [
    'Try it:',
    run,
    beats ? `  curl -X POST ${httpUrl}${endpointPath}` : `  curl ${httpUrl}/data_flows`,
    ...authenticationLines(
      config.apiAuthentication !== undefined || (beats && authenticationEnabled),
      beats && authenticationEnabled ? 'dataFlows.heartbeat' : 'apiAuthentication',
    ),
  ];
}

function authenticationLines(needed: boolean, option: string): readonly string[] {
  return needed ? ['', `Add what ${option} of millrace.config.ts asks for.`] : [];
}

/** Where a definition is served; undefined where it is not. */
function placeOf(
  { name, kind }: Pick<Definition, 'name' | 'kind'>,
  { catchAllRoutes, routes, exposePipes }: Project['config'],
): { readonly path: string; readonly stream: boolean } | undefined {
  if (!isExposed(name, exposePipes)) return undefined;
  return catchAllRoutes
    ? { path: `/${kind === 'task' ? 'tasks' : 'pipelines'}/${name}`, stream: true }
    : routes.find(({ pipeline }) => pipeline === name);
}

function runLines(definitions: readonly Definition[]): readonly string[] {
  const example = firstExample(definitions);
  if (example === undefined) return ['  npx millrace run --help'];
  const properties = Object.entries(example.input).map(
    ([name, value]) =>
      ` --set ${shellQuoted(`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)}`,
  );
  return [`  npx millrace run ${example.name}${properties.join('')}`];
}

/** A definition, and what a run of it can be started with. */
interface Example extends Pick<Definition, 'name' | 'kind'> {
  readonly input: JsonObject;
}

/**
 * The first definition for which there is an example input. Those come first of whose input every type is known, and of
 * them those that need no language model.
 */
function firstExample(definitions: readonly Definition[]): Example | undefined {
  const examples = definitions.flatMap((definition) => {
    const { name, kind } = definition;
    const input = exampleInput(definition);
    if (input === undefined) return [];
    const doubt = (isCertainExample(definition, input) ? 0 : 2) + Number(needsModel(definition));
    return [{ name, kind, input, doubt }];
  });
  return examples.sort((a, b) => a.doubt - b.doubt)[0];
}

function needsModel(definition: Definition): boolean {
  return (
    definition.kind === 'pipeline' &&
    definition.plan.stages.some(({ operations }) =>
      operations.some(({ model }) => model !== undefined),
    )
  );
}

function isExposed(name: string, exposed: Project['config']['exposePipes']): boolean {
  return exposed === 'all' || (exposed !== 'none' && exposed.includes(name));
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
