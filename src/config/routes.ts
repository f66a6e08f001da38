import type { Problem } from '../definition/problem.js';

/** A pipeline or workflow that is served at a path of its own, as a configuration writes it. */
export interface RouteDefinition {
  /** The definition's name. */
  readonly pipeline: string;
  /** Where it is: `/ai/summarize`. Default: `/<name>`. */
  readonly path?: string;
  /** Also `POST …/stream` and the events of executions. Default: false. */
  readonly stream?: boolean;
  /** Also `POST …/async` and the status, list and cancelling of executions. Default: false. */
  readonly async?: boolean;
}

/** A {@link RouteDefinition} with its defaults; the path has no slash at its end. */
export type PipelineRoute = Required<RouteDefinition>;

/** What `routes` is checked against. */
interface Routed {
  readonly dataFlows: { readonly heartbeat: { readonly endpointPath: string } };
  readonly routes: readonly PipelineRoute[];
  readonly exposePipes: 'all' | 'none' | readonly string[];
}

/** The server's own paths, which no route may have. */
const OWN_PATHS: readonly string[] = [
  '/health',
  '/openapi.json',
  '/pipelines',
  '/tasks',
  '/data_flows',
  '/record_pipelines',
  '/session',
  '/approvals',
];

/** Where `catchAllRoutes` serves a definition. */
function placeOf({ kind, name }: Placed): string {
  return `/${kind === 'task' ? 'tasks' : 'pipelines'}/${name}`;
}

/** What the place of a definition follows from. */
interface Placed {
  readonly kind: 'pipeline' | 'workflow' | 'task';
  readonly name: string;
}

/** What is below a pipeline's path. */
const BELOW: readonly string[] = ['/stream', '/async', '/executions'];

/** What is wrong with routes beside their form: two that meet, and pipelines that are not exposed. Problems have no site. */
export function routeProblems({ routes, exposePipes, dataFlows }: Routed): readonly Problem[] {
  const { endpointPath } = dataFlows.heartbeat;
  const own = routes.flatMap(({ pipeline, path }, index) => {
    const problem = (text: string): Problem => ({
      definition: 'config',
      message: `config: routes[${String(index)}]: ${text}`,
    });
    const taken = OWN_PATHS.includes(path)
      ? 'the server itself'
      : path === endpointPath
        ? 'the heartbeat of data flows'
        : takenBy(path, routes.slice(0, index));
    return [
      ...(taken === undefined ? [] : [problem(`the path "${path}" is taken by ${taken}.`)]),
      ...(isListed(pipeline, exposePipes)
        ? []
        : [
            problem(
              `"${pipeline}" is not exposed, so that its route would answer 403. Add it to exposePipes, or take the route out.`,
            ),
          ]),
    ];
  });
  if (!OWN_PATHS.includes(endpointPath)) return own;
  const message = `config: dataFlows.heartbeat.endpointPath: the path "${endpointPath}" is taken by the server itself.`;
  return [...own, { definition: 'config', message }];
}

/**
 * Routes that would be met before a definition's own place, such as `/pipelines/<name>`, is. Problems have no site.
 */
export function shadowProblems(
  {
    catchAllRoutes,
    routes,
  }: { readonly catchAllRoutes: boolean; readonly routes: readonly PipelineRoute[] },
  definitions: readonly Placed[],
): readonly Problem[] {
  if (!catchAllRoutes) return [];
  return routes.flatMap(({ pipeline, path }, index) => {
    const shadowed = definitions.find((definition) => {
      const place = placeOf(definition);
      return (
        (path === place && definition.name !== pipeline) ||
        BELOW.some((below) => isAt(path, place + below))
      );
    });
    if (shadowed === undefined) return [];
    const message = `config: routes[${String(index)}]: the path "${path}" is taken by "${shadowed.name}", which catchAllRoutes serves at ${placeOf(shadowed)}.`;
    return [{ definition: 'config', message }];
  });
}

function takenBy(path: string, others: readonly PipelineRoute[]): string | undefined {
  const meets = others.find(
    (other) =>
      path === other.path ||
      BELOW.some((below) => isAt(path, other.path + below) || isAt(other.path, path + below)),
  );
  return meets === undefined ? undefined : `the route of "${meets.pipeline}", ${meets.path}`;
}

function isAt(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

function isListed(name: string, exposed: Routed['exposePipes']): boolean {
  return exposed === 'all' || (exposed !== 'none' && exposed.includes(name));
}
