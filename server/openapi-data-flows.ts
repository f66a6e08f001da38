import type { JsonObject } from '../src/definition/json.js';
import { parameters } from './openapi-components.js';
import { problemResponse, problems, type ProblemName } from './openapi-problems.js';
import { ref } from './openapi-references.js';
import { DATA_FLOW_PARAMETERS, DATA_FLOW_SCHEMAS } from './openapi-data-flow-schemas.js';

type Path = readonly [string, JsonObject];

const TAG = 'Data flows';

/** Where data flows are served. */
export interface DataFlowPlaces {
  /** Path of their list; undefined where only the heartbeat is served. */
  readonly path: string | undefined;
  readonly heartbeat: string;
}

/** The paths of data flows, the heartbeat's among them. */
export function dataFlowPaths({ path, heartbeat }: DataFlowPlaces): readonly Path[] {
  return [
    [heartbeat, { post: heartbeatOperation() }],
    ...(path === undefined ? [] : [...flowPaths(path), ...runPaths(`${path}/{name}/runs`)]),
  ];
}

function flowPaths(path: string): readonly Path[] {
  const flow = `${path}/{name}`;
  return [
    [
      path,
      { get: operation('data_flows', 'All data flows, by name.', answer('DataFlowList'), []) },
    ],
    [
      flow,
      {
        get: named('data_flow', 'A data flow, with the schema of its configuration.', 'DataFlow'),
        patch: {
          ...named('data_flow_change', 'Change what operators may change.', 'DataFlow', BODY),
          requestBody: body('DataFlowChange'),
        },
      },
    ],
    [
      `${flow}/run`,
      {
        post: operation(
          'data_flow_run',
          'Start a run, also of a flow that is disabled.',
          answer('DataFlowRunAccepted', 202),
          ['FlowName'],
          [...BODY, 'FlowActive'],
        ),
      },
    ],
    [`${flow}/pause`, steering('data_flow_pause', 'Keep it from being started by itself.')],
    [`${flow}/resume`, steering('data_flow_resume', 'Have it be started by itself again.')],
    [
      `${flow}/reset`,
      {
        post: {
          ...named(
            'data_flow_reset',
            'Move its cursor, to the beginning unless one is given.',
            'DataFlow',
            [...BODY, 'FlowActive'],
          ),
          requestBody: body('DataFlowReset'),
        },
      },
    ],
    [
      `${flow}/backfill`,
      {
        post: {
          ...operation(
            'data_flow_backfill',
            'Have the scheduled times of a range run again.',
            answer('DataFlowBackfill', 202),
            ['FlowName'],
            [...BODY, 'NotScheduled'],
          ),
          requestBody: { ...body('DataFlowRange'), required: true },
        },
      },
    ],
    [
      `${flow}/schedule`,
      {
        get: named('data_flow_schedule', 'When it is started next.', 'DataFlowSchedule', [
          'NotScheduled',
        ]),
      },
    ],
  ];
}

function steering(id: string, summary: string): JsonObject {
  return {
    post: { ...named(id, summary, 'DataFlow', BODY), requestBody: body('DataFlowNote') },
  };
}

function runPaths(runs: string): readonly Path[] {
  const run = `${runs}/{run_id}`;
  const one = ['FlowName', 'FlowRunId'] as const;
  return [
    [
      runs,
      {
        get: operation(
          'data_flow_runs',
          'Runs of a data flow, newest first.',
          answer('DataFlowRunList'),
          ['FlowName', 'FlowRunStatus', 'FlowPageLimit', 'FlowRunsBefore'],
          ['InvalidRequest'],
        ),
      },
    ],
    [run, { get: operation('data_flow_run_info', 'A run.', answer('DataFlowRun'), one) }],
    [
      `${run}/rejections`,
      {
        get: operation(
          'data_flow_run_rejections',
          'Rows that the run has rejected.',
          answer('DataFlowRejectionList'),
          [...one, 'FlowPageLimit', 'FlowRejectionsAfter'],
          ['InvalidRequest'],
        ),
      },
    ],
    [`${run}/events`, { get: eventsOperation(one) }],
    [
      `${run}/cancel`,
      {
        post: operation(
          'data_flow_run_cancel',
          'Ask a run to end.',
          answer('DataFlowRunAccepted', 202),
          one,
          ['Closed'],
        ),
      },
    ],
  ];
}

type ParameterName = keyof typeof DATA_FLOW_PARAMETERS;

function eventsOperation(names: readonly ParameterName[]): JsonObject {
  const described = operation(
    'data_flow_run_events',
    'Stream the events of a run, past and to come.',
    {
      200: ref('responses', 'FlowEvents'),
      204: { description: 'The run is over, and Last-Event-ID is its last event.' },
    },
    names,
    ['InvalidRequest'],
  );
  return {
    ...described,
    parameters: [
      ...names.map((name) => ref('parameters', name)),
      ...parameters(['LastEventId', 'LastEventIdQuery']),
    ],
  };
}

function heartbeatOperation(): JsonObject {
  return {
    ...operation(
      'data_flow_heartbeat',
      'Start every heartbeat flow that is due, without waiting for any.',
      answer('DataFlowHeartbeat'),
      [],
      [],
    ),
    description:
      'Where the configuration asks for a token, it is sent as Authorization: Bearer, or in X-Heartbeat-Token.',
    responses: {
      ...answer('DataFlowHeartbeat'),
      ...problems(['Unauthorized', 'Forbidden', 'InternalError']),
    },
  };
}

/** What may be wrong with a request that has a body. */
const BODY: readonly FlowProblem[] = [
  'InvalidRequest',
  'PayloadTooLarge',
  'UnsupportedMediaType',
  'Unprocessable',
];

function named(
  id: string,
  summary: string,
  schema: string,
  failures: readonly FlowProblem[] = [],
): JsonObject {
  return operation(id, summary, answer(schema), ['FlowName'], failures);
}

function operation(
  id: string,
  summary: string,
  responses: JsonObject,
  names: readonly ParameterName[],
  failures: readonly FlowProblem[] = [],
): JsonObject {
  const found: readonly FlowProblem[] = names.includes('FlowName') ? ['NotFound'] : [];
  return {
    operationId: `millrace:${id}`,
    tags: [TAG],
    summary,
    parameters: names.map((name) => ref('parameters', name)),
    responses: {
      ...responses,
      ...flowProblems([
        'Unauthorized',
        'Forbidden',
        ...found,
        ...failures,
        'InternalError',
        'Unavailable',
      ]),
    },
  };
}

function answer(schema: string, status = 200): JsonObject {
  const content = { 'application/json': { schema: ref('schemas', schema) } };
  return { [status]: { description: ANSWERS[status] ?? 'What was asked for.', content } };
}

const ANSWERS: Readonly<Record<number, string>> = { 202: 'It was asked for.' };

function body(schema: string): JsonObject {
  return { content: { 'application/json': { schema: ref('schemas', schema) } } };
}

type FlowProblem = ProblemName | keyof typeof FLOW_PROBLEMS;

function flowProblems(names: readonly FlowProblem[]): JsonObject {
  return names.reduce<JsonObject>(
    (all, name) => ({
      ...all,
      ...(isOwn(name)
        ? { [FLOW_PROBLEMS[name].status]: ref('responses', name) }
        : problems([name])),
    }),
    {},
  );
}

function isOwn(name: FlowProblem): name is keyof typeof FLOW_PROBLEMS {
  return name === 'FlowActive' || name === 'NotScheduled';
}

const FLOW_PROBLEMS = {
  FlowActive: {
    status: 409,
    description: 'A run of the flow goes on; at most one does.',
    example: {
      error: 'Run 7 of "import-orders" is in_progress; at most one run of a flow is active.',
      type: 'flow_active',
      run_id: '01JABCDEFGHJKMNPQRSTVWXYZ0',
      run_seq: 7,
    },
  },
  NotScheduled: {
    status: 409,
    description: 'The flow is not started by a schedule.',
    example: {
      error:
        'Data flow "import-orders" has no schedule of Temporal\'s, and so no next times: its definition has no cron and no interval.',
      type: 'not_scheduled',
    },
  },
} as const;

const EVENTS: JsonObject = {
  description:
    'Server-sent events: flow_started, flow_progress with batches, rows and rows per second, and at the end complete, or flow_failed ' +
    'and error. Those have ids. While rows move, flow_progress comes as a hint without an id, too.',
  headers: { 'X-Execution-Id': { schema: { type: 'string' } } },
  content: {
    'text/event-stream': {
      schema: { type: 'string' },
      example:
        'id: 0190c5a0-7b5e-7000-8000-000000000000.1.0\nevent: flow_started\ndata: {"flow":"import-orders","run_seq":7}\n\n',
    },
  },
};

/** The components of data flows, for documents that describe some. */
export const DATA_FLOW_COMPONENTS = {
  schemas: DATA_FLOW_SCHEMAS,
  parameters: DATA_FLOW_PARAMETERS as JsonObject,
  responses: {
    FlowEvents: EVENTS,
    FlowActive: problemResponse(FLOW_PROBLEMS.FlowActive),
    NotScheduled: problemResponse(FLOW_PROBLEMS.NotScheduled),
  } as JsonObject,
} as const;
