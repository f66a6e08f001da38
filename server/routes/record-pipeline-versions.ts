import { RecordStoreSlow } from '../../engine/record-pipeline/record-store-errors.js';
import type { Answered } from '../../engine/record-pipeline/record-store-questions.js';
import type { StoreQuestion } from '../../src/record-pipeline/store-question.js';
import { HttpProblem } from '../http-problem.js';
import { diffBody, recordPipelinePath, versionBody } from '../record-pipeline-body.js';
import { invalidParameter, readLimit, readText } from '../query-parameters.js';
import { readMembers } from './data-flow-request.js';
import { askStore, VERSION_ID, type RecordRequest } from './record-pipeline-request.js';

const A_VERSION = 'the id of a version';

/** `GET /record_pipelines/:name/versions`: newest first, page by page. */
export async function listVersions(request: RecordRequest): Promise<void> {
  const { ctx, name, base } = request;
  const before = readText(ctx, 'before', VERSION_ID, 'the next_before of the page before');
  const question = {
    kind: 'versions',
    limit: readLimit(ctx),
    ...(before !== undefined && { before }),
  } as const;
  const { versions, nextBefore } = (await askStore(request, question)).answer;
  ctx.body = {
    versions: versions.map((version) => versionBody(version, base, name)),
    ...(nextBefore !== undefined && { next_before: nextBefore }),
  };
}

/** `GET /record_pipelines/:name/versions/:version` */
export async function showVersion(request: RecordRequest): Promise<void> {
  const { ctx, name, base, version } = request;
  const { answer } = await askStore(request, { kind: 'version', version });
  ctx.body = versionBody(answer, base, name);
}

/** `POST /record_pipelines/:name/versions`: makes a version of what there is now, also while a run goes on. */
export async function makeVersion(request: RecordRequest): Promise<void> {
  const { ctx, name, base } = request;
  await readMembers(request, []);
  const asked = await askToCopy(request, { kind: 'snapshot' });
  if (asked === undefined) return;
  const version = versionBody(asked.answer, base, name);
  ctx.status = 201;
  ctx.set('Location', `${versionsPath(request)}/${encodeURIComponent(asked.answer.id)}`);
  ctx.body = { version, links: { versions: versionsPath(request) } };
}

/** `POST /record_pipelines/:name/versions/:version/restore`: makes a version current again. Who asks must have said who they are. */
export async function restoreVersion(request: RecordRequest): Promise<void> {
  const { ctx, api, name, base, version } = request;
  if (api.settings.apiAuthentication === undefined)
    throw new HttpProblem(
      403,
      'forbidden',
      'Restoring a version needs authentication: configure apiAuthentication in millrace.config.ts. `millrace records restore`, on the machine of the store, needs none.',
    );
  await readMembers(request, []);
  const asked = await askToCopy(request, { kind: 'restore', version });
  if (asked === undefined) return;
  ctx.body = {
    restored: versionBody(asked.answer.restored, base, name),
    replaced: versionBody(asked.answer.replaced, base, name),
    links: { versions: versionsPath(request) },
  };
}

/** `GET /record_pipelines/:name/diff`: what is other in one version than in another, or now. */
export async function showDiff(request: RecordRequest): Promise<void> {
  const { ctx } = request;
  const before = readText(ctx, 'before', VERSION_ID, A_VERSION);
  const after = readText(ctx, 'after', VERSION_ID, A_VERSION);
  const limit = readLimit(ctx);
  if (before === undefined) throw invalidParameter('before', A_VERSION);
  const { answer } = await askStore(request, {
    kind: 'diff',
    before,
    limit,
    ...(after !== undefined && { after }),
  });
  ctx.body = { before, after: after ?? null, diff: diffBody(answer) };
}

/** Copying takes as long as the store is large: what takes longer than the server waits goes on, and is told with 202. */
async function askToCopy<const Q extends StoreQuestion>(
  request: RecordRequest,
  question: Q,
): Promise<Answered<Q> | undefined> {
  const { ctx, api } = request;
  try {
    return await askStore(request, question, { answerMs: api.settings.maxWaitMs });
  } catch (error) {
    if (!(error instanceof RecordStoreSlow)) throw error;
    ctx.status = 202;
    ctx.body = { links: { versions: versionsPath(request) } };
    return undefined;
  }
}

function versionsPath({ base, name }: RecordRequest): string {
  return `${recordPipelinePath(base, name)}/versions`;
}
