import { cutBody } from '../record-pipeline-body.js';
import { readJsonObject, readLimit, readNumber } from '../query-parameters.js';
import { askStore, type RecordRequest } from './record-pipeline-request.js';

/** `GET /record_pipelines/:name/records/:record`, also of a version: records of one type by their ids, page by page. */
export async function listRecords(request: RecordRequest): Promise<void> {
  const { ctx, record, version } = request;
  const after = readNumber(ctx, 'after', 'the next_after of the page before');
  const where = readJsonObject(ctx, 'where', 'a JSON object such as {"age":{"gte":18}}');
  const { records, cut, nextAfter } = (
    await askStore(request, {
      kind: 'records',
      record,
      limit: readLimit(ctx),
      ...(version !== '' && { version }),
      ...(after !== undefined && { after }),
      ...(where !== undefined && { where }),
    })
  ).answer;
  ctx.body = {
    records,
    truncated: cut.map(cutBody),
    ...(nextAfter !== undefined && { next_after: nextAfter }),
  };
}
