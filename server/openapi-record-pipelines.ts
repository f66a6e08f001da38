import type { JsonObject } from '../src/definition/json.js';
import { parameters } from './openapi-components.js';
import { problemResponse, problems, type ProblemName } from './openapi-problems.js';
import { ref } from './openapi-references.js';
import {
  RECORD_PIPELINE_PARAMETERS,
  RECORD_PIPELINE_SCHEMAS,
} from './openapi-record-pipeline-schemas.js';

type Path = readonly [string, JsonObject];
type ParameterName = keyof typeof RECORD_PIPELINE_PARAMETERS;
type RecordProblem = ProblemName | keyof typeof RECORD_PROBLEMS;

const TAG = 'Record pipelines';

/** The paths of record pipelines. @param path - of their list */
export function recordPipelinePaths(path: string): readonly Path[] {
  const pipeline = `${path}/{name}`;
  return [
    ...pipelinePaths(path, pipeline),
    ...runPaths(`${pipeline}/runs`),
    ...recordPaths(pipeline),
    ...versionPaths(`${pipeline}/versions`),
  ];
}

function pipelinePaths(path: string, pipeline: string): readonly Path[] {
  return [
    [
      path,
      {
        get: operation('record_pipelines', 'All record pipelines, by name.', {
          answer: answer('RecordPipelineList'),
        }),
      },
    ],
    [
      pipeline,
      {
        get: operation('record_pipeline', 'A record pipeline, and what is in its store.', {
          answer: answer('RecordPipelineDetails'),
          names: ['RecordPipelineName'],
        }),
      },
    ],
    [
      `${pipeline}/run`,
      {
        post: {
          ...operation('record_pipeline_run', 'Start a run.', {
            answer: answer('RecordRunAccepted', 202),
            names: ['RecordPipelineName'],
            failures: [...BODY, 'StoreBusy'],
          }),
          requestBody: body('RecordRunRequest'),
        },
      },
    ],
  ];
}

function runPaths(runs: string): readonly Path[] {
  const run = `${runs}/{run_id}`;
  const one = ['RecordPipelineName', 'RecordRunId'] as const;
  return [
    [
      runs,
      {
        get: operation('record_pipeline_runs', 'Runs that the store knows, newest first.', {
          answer: answer('RecordRunList'),
          names: ['RecordPipelineName', 'RecordPageLimit', 'RecordsBefore'],
          failures: ['InvalidRequest', ...STORE],
        }),
      },
    ],
    [
      run,
      {
        get: operation('record_pipeline_run_info', 'A run.', {
          answer: answer('RecordRunDetails'),
          names: one,
          failures: STORE,
        }),
      },
    ],
    [
      `${run}/failures`,
      {
        get: operation('record_pipeline_run_failures', 'Records that have failed in the run.', {
          answer: answer('RecordFailureList'),
          names: [...one, 'RecordPageLimit', 'RecordFailuresAfter'],
          failures: ['InvalidRequest', 'Unprocessable', ...STORE],
        }),
      },
    ],
    [`${run}/events`, { get: eventsOperation(one) }],
    [
      `${run}/cancel`,
      {
        post: operation('record_pipeline_run_cancel', 'Ask a run to end.', {
          answer: answer('RecordRunAccepted', 202),
          names: one,
          failures: ['Closed', ...STORE],
        }),
      },
    ],
  ];
}

function eventsOperation(names: readonly ParameterName[]): JsonObject {
  const described = operation(
    'record_pipeline_run_events',
    'Stream the events of a run, past and to come.',
    {
      answer: {
        200: ref('responses', 'RecordEvents'),
        204: { description: 'The run is over, and Last-Event-ID is its last event.' },
      },
      names,
      failures: ['InvalidRequest'],
    },
  );
  return {
    ...described,
    parameters: [
      ...names.map((name) => ref('parameters', name)),
      ...parameters(['LastEventId', 'LastEventIdQuery']),
    ],
  };
}

function recordPaths(pipeline: string): readonly Path[] {
  return [
    [
      `${pipeline}/records/{record}`,
      {
        get: operation('record_pipeline_records', 'Records of one type, by their ids.', {
          answer: answer('RecordList'),
          names: ['RecordPipelineName', 'RecordTypeName', ...RECORDS],
          failures: ['InvalidRequest', 'Unprocessable', ...STORE],
        }),
      },
    ],
    [
      `${pipeline}/diff`,
      {
        get: operation('record_pipeline_diff', 'What two states of the store differ in.', {
          answer: answer('RecordDiff'),
          names: ['RecordPipelineName', 'RecordDiffBefore', 'RecordDiffAfter', 'RecordPageLimit'],
          failures: ['InvalidRequest', ...STORE],
        }),
      },
    ],
  ];
}

function versionPaths(versions: string): readonly Path[] {
  const version = `${versions}/{version}`;
  const one = ['RecordPipelineName', 'RecordVersionId'] as const;
  const copying = answer('RecordCopying', 202);
  return [
    [
      versions,
      {
        get: operation('record_pipeline_versions', 'Versions of the store, newest first.', {
          answer: answer('RecordVersionList'),
          names: ['RecordPipelineName', 'RecordPageLimit', 'RecordsBefore'],
          failures: ['InvalidRequest', ...STORE],
        }),
        post: operation('record_pipeline_version_make', 'Make a version of what there is now.', {
          answer: { ...answer('RecordVersionMade', 201), ...copying },
          names: ['RecordPipelineName'],
          failures: [...BODY, ...STORE],
        }),
      },
    ],
    [
      version,
      {
        get: operation('record_pipeline_version', 'A version.', {
          answer: answer('RecordVersion'),
          names: one,
          failures: STORE,
        }),
      },
    ],
    [
      `${version}/restore`,
      {
        post: operation(
          'record_pipeline_version_restore',
          'Make a version current again. Only where the server authenticates.',
          {
            answer: { ...answer('RecordVersionRestored'), ...copying },
            names: one,
            failures: [...BODY, 'StoreBusy', ...STORE],
          },
        ),
      },
    ],
    [
      `${version}/records/{record}`,
      {
        get: operation('record_pipeline_version_records', 'Records of a version, by their ids.', {
          answer: answer('RecordList'),
          names: [...one, 'RecordTypeName', ...RECORDS],
          failures: ['InvalidRequest', 'Unprocessable', ...STORE],
        }),
      },
    ],
  ];
}

/** What may be wrong with a request that has a body. */
const BODY: readonly RecordProblem[] = [
  'InvalidRequest',
  'PayloadTooLarge',
  'UnsupportedMediaType',
  'Unprocessable',
];

/** What may be wrong with a store that is asked. */
const STORE: readonly RecordProblem[] = ['StoreUnusable', 'StoreAway', 'StoreSlow'];

/** How records are chosen. */
const RECORDS: readonly ParameterName[] = ['RecordPageLimit', 'RecordsAfter', 'RecordsWhere'];

/** What an operation is described with. */
interface Described {
  readonly answer: JsonObject;
  readonly names?: readonly ParameterName[];
  readonly failures?: readonly RecordProblem[];
}

function operation(
  id: string,
  summary: string,
  { answer: responses, names = [], failures = [] }: Described,
): JsonObject {
  const found: readonly RecordProblem[] = names.length > 0 ? ['NotFound'] : [];
  return {
    operationId: `millrace:${id}`,
    tags: [TAG],
    summary,
    parameters: names.map((name) => ref('parameters', name)),
    responses: {
      ...responses,
      ...recordProblems([
        'Unauthorized',
        'Forbidden',
        ...found,
        'InternalError',
        'Unavailable',
        ...failures,
      ]),
    },
  };
}

const ANSWERS: Readonly<Record<number, string>> = {
  201: 'It was made.',
  202: 'It was asked for, and goes on.',
};

function answer(schema: string, status = 200): JsonObject {
  const content = { 'application/json': { schema: ref('schemas', schema) } };
  return { [status]: { description: ANSWERS[status] ?? 'What was asked for.', content } };
}

function body(schema: string): JsonObject {
  return { content: { 'application/json': { schema: ref('schemas', schema) } } };
}

/** Responses by status. Of two with one status the later is described. */
function recordProblems(names: readonly RecordProblem[]): JsonObject {
  return names.reduce<JsonObject>(
    (all, name) => ({
      ...all,
      ...(isOwn(name)
        ? { [RECORD_PROBLEMS[name].status]: ref('responses', name) }
        : problems([name])),
    }),
    {},
  );
}

function isOwn(name: RecordProblem): name is keyof typeof RECORD_PROBLEMS {
  return Object.hasOwn(RECORD_PROBLEMS, name);
}

const RECORD_PROBLEMS = {
  StoreBusy: {
    status: 409,
    description: 'A run works on the store; at most one does.',
    example: {
      error:
        '/srv/app/data/onboarding: the run 01JABCDEFGHJKMNPQRSTVWXYZ0 has been working on this store since 2026-11-26T03:45:12.123Z. Wait for its end, or cancel it.',
      type: 'store_busy',
      run_id: '01JABCDEFGHJKMNPQRSTVWXYZ0',
      started_at: '2026-11-26T03:45:12.123Z',
    },
  },
  StoreUnusable: {
    status: 500,
    description: 'The files of the store cannot be used as they are; or the server failed.',
    example: {
      error:
        '/srv/app/data/onboarding/db.sqlite3: cannot be written to: check who owns it and its folder.',
      type: 'store_unusable',
    },
  },
  StoreAway: {
    status: 503,
    description:
      'No worker that has the store answers, its disk is full or it is locked; or the Temporal server cannot be reached.',
    example: {
      error:
        'No worker has the store 01JABCDEFGHJKMNPQRSTVWXYZ1 of "onboarding"; it was waited for 10 s. It was on box-7 last: start a worker there (millrace worker, millrace dev).',
      type: 'store_away',
      store_id: '01JABCDEFGHJKMNPQRSTVWXYZ1',
      host: 'box-7',
    },
  },
  StoreSlow: {
    status: 504,
    description: 'Reading took too long, and was given up.',
    example: {
      error:
        '/srv/app/data/onboarding/db.sqlite3: reading took longer than 30 s and was given up. Ask for less, or add an index for what is asked.',
      type: 'timeout',
    },
  },
} as const;

const EVENTS: JsonObject = {
  description:
    'Server-sent events of the run, past ones first: record_pipeline_started, record_pipeline_begun, record_pipeline_progress with counts, ' +
    'queues and rate, record_pipeline_waiting, and at the end complete, or record_pipeline_failed and error. Those have ids. While records ' +
    'are worked on, record_pipeline_progress comes as a hint without an id, too.',
  headers: { 'X-Execution-Id': { schema: { type: 'string' } } },
  content: { 'text/event-stream': { schema: { type: 'string' } } },
};

/** The components of record pipelines, for documents that describe some. */
export const RECORD_PIPELINE_COMPONENTS = {
  schemas: RECORD_PIPELINE_SCHEMAS,
  parameters: RECORD_PIPELINE_PARAMETERS as JsonObject,
  responses: {
    RecordEvents: EVENTS,
    ...Object.fromEntries(
      Object.entries(RECORD_PROBLEMS).map(([name, problem]) => [name, problemResponse(problem)]),
    ),
  } as JsonObject,
} as const;
