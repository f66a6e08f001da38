import { describe, expect, it } from '@jest/globals';
import type { EntityFilter } from '../../../src/attribute-pipeline/entity-filter.js';
import type {
  Candidate,
  EntityOutcome,
  RunRequest,
} from '../../../src/attribute-pipeline/run-catalog.js';
import type { AttributeRun } from '../../../src/attribute-pipeline/run.js';
import { claimed, computed, GRADE, request, SCORE } from './requested-runs.js';
import { ANN, later, pipelineInput, withProducts, type OpenAttributes } from './open-attributes.js';

/** Runs of pipelines: who may run, what there is to do, and what is written. */
export function testRuns(open: OpenAttributes): void {
  /** Products p1, p2, … with a size, a pipeline of their scores, and one of their grades that reads the scores. */
  async function products(count: number): Promise<readonly string[]> {
    const { entities, attributePipelines } = open.catalog;
    const computedOne = { editable: 'overridable', dataType: 'integer' } as const;
    await withProducts(open.catalog, {
      size: { dataType: 'integer' },
      score: { ...computedOne, needsApproval: 'only_low_confidence' },
      grade: computedOne,
    });
    await attributePipelines.addPipeline(SCORE, pipelineInput(['size']), ANN);
    await attributePipelines.addPipeline(GRADE, pipelineInput(['score']), ANN);
    const inputs = Array.from({ length: count }, (_, n) => ({
      key: `p${String(n + 1)}`,
      values: { size: n + 1 },
    }));
    return (await entities.saveEntities('product', inputs, ANN)).map(({ id }) => id);
  }

  /** Runs to the end, with one outcome for every entity. */
  async function runAll(
    of: RunRequest,
    outcome: (entityId: string) => EntityOutcome = () => computed(1, 'h'.repeat(64)),
  ): Promise<{ readonly run: AttributeRun; readonly looked: readonly Candidate[] }> {
    const { attributeRuns: runs } = open.catalog;
    const run = await claimed(runs, of);
    const looked = await runs.candidates(run.id, null, 100);
    const outcomes = looked.map((one) => ({ ...one, outcome: outcome(one.entityId) }));
    await runs.write(
      run.id,
      await runs.position(run.id),
      { outcomes, usage: [], warnings: [] },
      of.now,
    );
    return { run: await runs.end(run.id, 'completed', null, later(9).now), looked };
  }

  const idsOf = (looked: readonly Candidate[]): readonly string[] =>
    looked.map(({ entityId }) => entityId);

  describe('runs', () => {
    it('are one at a time, whoever asks', async () => {
      await products(1);
      const other = (await open.another()).attributeRuns;
      const runs = open.catalog.attributeRuns;
      const claims = await Promise.all(
        [runs, other, runs, other].map(async (of) => {
          const { id } = await of.request(request({}, { principal: 'ann' }));
          return of.claim(id, ANN.now);
        }),
      );
      expect(claims.filter(({ kind }) => kind === 'claimed')).toHaveLength(1);
      expect(new Set(claims.map(({ run }) => run.id)).size).toBe(1);
      expect(claims[0]?.run).toMatchObject({
        workflowId: expect.stringMatching(/^attribute_pipeline/),
        status: 'running',
        batchSize: 200,
        principal: 'ann',
        pipelineVersion: 1,
        tokensIn: null,
      });
      await expect(open.catalog.attributePipelines.removePipeline(SCORE)).rejects.toThrow(
        /goes on/,
      );
      const ended = await runs.end(claims[0]!.run.id, 'failed', 'no luck', later(3).now);
      expect(ended).toMatchObject({
        status: 'failed',
        errorMessage: 'no luck',
        completedAt: later(3).now,
      });
      // What has ended stays as it has ended.
      expect(await runs.end(ended.id, 'completed', null, later(4).now)).toEqual(ended);
      expect((await open.catalog.attributePipelines.pipeline(SCORE)).lastRun).toEqual({
        at: ANN.now,
        status: 'failed',
        durationMs: 3_000,
        processed: 0,
        failed: 0,
        tokensIn: null,
        tokensOut: null,
      });
      expect((await claimed(other, request({}, { now: later(20).now }))).runSeq).toBe(5);
      const listed = await runs.runs({ limit: 1 }, SCORE);
      expect(listed.items).toMatchObject([{ runSeq: 5, status: 'running' }]);
      const rest = (await runs.runs({ limit: 10, after: listed.next! })).items;
      expect(rest).toContainEqual(ended);
      expect(rest.map(({ status }) => status).sort()).toEqual([
        'failed',
        ...Array<string>(3).fill('waiting'),
      ]);
    });

    it('look at every entity first, and then only at what has changed', async () => {
      const ids = await products(5);
      const { entities, attributePipelines } = open.catalog;
      expect(idsOf((await runAll(request())).looked)).toEqual(ids);
      expect((await runAll(request())).looked).toEqual([]);
      await entities.saveEntities('product', [{ key: 'p2', values: { size: 7 } }], ANN);
      const [added] = await entities.saveEntities(
        'product',
        [{ key: 'p6', values: {} }],
        later(30),
      );
      expect(idsOf((await runAll(request())).looked)).toEqual([ids[1], added?.id]);
      expect((await runAll(request())).looked).toEqual([]);
      expect((await runAll(request({ force: true }))).looked).toHaveLength(6);
      const { modules } = await attributePipelines.pipeline(SCORE);
      const recoded = [modules[0]!, { module: 'calculation', settings: { code: 'return 2' } }];
      await attributePipelines.changePipeline(SCORE, { modules: recoded }, 1, ANN);
      expect((await runAll(request())).looked).toHaveLength(6);
      expect((await runAll(request())).looked).toEqual([]);
    });

    it('look at those that they were asked for', async () => {
      const ids = await products(5);
      const filter: EntityFilter = [{ attribute: 'size', operator: '>', value: 3 }];
      expect(idsOf((await runAll(request({ filter }))).looked)).toEqual(ids.slice(3));
      const entityIds = [ids[4]!, ids[0]!];
      expect(idsOf((await runAll(request({ entityIds }))).looked)).toEqual([ids[0], ids[4]]);
      // Neither has looked at everything.
      expect((await runAll(request())).looked).toHaveLength(5);
      const wrong: EntityFilter = [{ attribute: 'size', operator: '>', value: 'x' }];
      await expect(
        claimed(open.catalog.attributeRuns, request({ filter: wrong })),
      ).rejects.toMatchObject({
        name: 'InvalidFilter',
      });
    });

    it('write values with their history, and put down what depends on those that are others', async () => {
      const ids = await products(3);
      const { entities } = open.catalog;
      await runAll(request({}, { place: GRADE }));
      await runAll(request(), (id) => computed(id === ids[0] ? 1 : 2, 'a'.repeat(64)));
      expect((await entities.entity(ids[1]!)).values.score).toEqual({
        current: 2,
        approved: 2,
        live: undefined,
        override: undefined,
        inputHash: 'a'.repeat(64),
        justification: 'so',
        confidence: 0.9,
        pipelineVersion: 1,
        meta: { n: 1 },
        inputs: { size: 1 },
        runId: expect.any(String),
        version: 1,
        awaitsApproval: false,
      });
      expect(idsOf((await runAll(request({}, { place: GRADE }))).looked)).toEqual(ids);
      // The same value of something else: nobody who reads it has to know.
      const second = await runAll(request({ force: true }), (id) =>
        computed(id === ids[0] ? 5 : 2, 'b'.repeat(64)),
      );
      const { values } = await entities.entity(ids[1]!);
      expect(values.score).toMatchObject({
        inputHash: 'b'.repeat(64),
        version: 1,
        runId: second.run.id,
      });
      expect(idsOf((await runAll(request({}, { place: GRADE }))).looked)).toEqual([ids[0]]);
      const history = await entities.history(
        { entityId: ids[0]!, attribute: 'score' },
        { limit: 5 },
      );
      expect(history.items).toMatchObject([
        { version: 2, change: 'computed', value: 5, runId: second.run.id, inputs: { size: 1 } },
        { version: 1, change: 'computed', value: 1, confidence: 0.9, justification: 'so' },
      ]);
      const read = await open.catalog.attributeRuns.values('product', ids, ['size', 'score']);
      expect(read.get(ids[2]!)?.get('size')).toMatchObject({ current: 3 });
      expect(read.get(ids[2]!)?.get('score')).toMatchObject({ current: 2 });
    });

    it('count what has become of entities, and keep failures, usage and warnings', async () => {
      const ids = await products(4);
      const { attributeRuns: runs, entities } = open.catalog;
      const run = await claimed(runs, request());
      const outcomes: readonly EntityOutcome[] = [
        computed(1, 'a'.repeat(64)),
        { kind: 'failed', module: 'calculation', message: 'no\0pe' },
        { kind: 'skipped', reason: 'nothing to say', inputHash: 'b'.repeat(64) },
        { kind: 'unchanged' },
      ];
      const looked = await runs.candidates(run.id, null, 10);
      const usage = { model: 'fast', calls: 2, tokensIn: 10, tokensOut: 3, cost: 0.25 };
      const first = await runs.write(
        run.id,
        { step: 0 },
        {
          outcomes: looked.slice(0, 3).map((one, at) => ({ ...one, outcome: outcomes[at]! })),
          usage: [usage, { ...usage, model: 'free', cost: null }],
          warnings: ['odd', 'odd'],
        },
        ANN.now,
      );
      expect(first).toEqual({
        entityId: ids[2],
        step: 1,
        seen: 3,
        counts: { processed: 1, failed: 1, skipped: 1, unchanged: 0, batches: 1 },
        tokensIn: 20,
        tokensOut: 6,
        cost: 0.25,
      });
      expect(idsOf(await runs.candidates(run.id, first.entityId, 10))).toEqual([ids[3]]);
      const last = { ...looked[3]!, outcome: outcomes[3]! };
      const batch = { outcomes: [last], usage: [usage], warnings: ['odd', 'odder'] };
      await runs.write(run.id, first, batch, ANN.now);
      expect(await runs.end(run.id, 'completed', null, ANN.now)).toMatchObject({
        counts: { processed: 1, failed: 1, skipped: 1, unchanged: 1, batches: 2 },
        tokensIn: 30,
        tokensOut: 9,
        cost: 0.5,
        warnings: ['odd', 'odder'],
      });
      const failures = await runs.failures(run.id, { limit: 5 });
      expect(failures.items).toEqual([
        {
          entityId: ids[1],
          entityKey: 'p2',
          module: 'calculation',
          message: 'no\uFFFDpe',
          at: ANN.now,
        },
      ]);
      expect((await entities.entity(ids[2]!)).values.score).toBeUndefined();
      const read = await runs.values('product', ids, ['score']);
      expect(read.get(ids[2]!)?.get('score')).toMatchObject({
        inputHash: 'b'.repeat(64),
        version: 0,
      });
      // Who has failed is tried again, by itself or by name.
      const again = await runAll(request({ retryOf: run.id }), () => ({
        kind: 'skipped',
        reason: '',
      }));
      expect(idsOf(again.looked)).toEqual([ids[1]]);
      expect((await runAll(request())).looked).toEqual([]);
      await expect(runs.request(request({ retryOf: '01NOWHERE' }))).rejects.toThrow(/no run/);
    });

    it('keep who has failed to be looked at by the next one', async () => {
      const ids = await products(2);
      await runAll(request(), (id) =>
        id === ids[0]
          ? { kind: 'failed', module: 'calculation', message: 'no' }
          : { kind: 'unchanged' },
      );
      expect(idsOf((await runAll(request())).looked)).toEqual([ids[0]]);
    });

    it('keep what has changed of an entity while they worked on it', async () => {
      const ids = await products(2);
      const { attributeRuns: runs, entities } = open.catalog;
      const run = await claimed(runs, request());
      const looked = await runs.candidates(run.id, null, 10);
      await entities.saveEntities('product', [{ key: 'p1', values: { size: 99 } }], ANN);
      await entities.removeEntity(ids[1]!);
      const outcomes = looked.map((one) => ({ ...one, outcome: computed(1, 'a'.repeat(64)) }));
      await runs.write(
        run.id,
        await runs.position(run.id),
        { outcomes, usage: [], warnings: [] },
        ANN.now,
      );
      await runs.end(run.id, 'completed', null, ANN.now);
      expect(idsOf((await runAll(request())).looked)).toEqual([ids[0]]);
    });

    it('write nothing when another attempt has gone on, or the run has ended', async () => {
      const ids = await products(2);
      const { attributeRuns: runs, entities } = open.catalog;
      const other = (await open.another()).attributeRuns;
      const run = await claimed(runs, request());
      const start = await runs.position(run.id);
      const [one, two] = await runs.candidates(run.id, null, 10);
      const batch = (of: Candidate, value: number) => ({
        outcomes: [{ ...of, outcome: computed(value, 'a'.repeat(64)) }],
        usage: [{ model: 'fast', calls: 1, tokensIn: 1, tokensOut: 1, cost: null }],
        warnings: [],
      });
      const attempts = await Promise.allSettled([
        runs.write(run.id, start, batch(one!, 1), ANN.now),
        other.write(run.id, start, batch(one!, 2), ANN.now),
      ]);
      expect(attempts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(attempts.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { name: 'RunFenceLost', runId: run.id, step: 0 },
      });
      expect(await runs.run(run.id)).toMatchObject({ counts: { processed: 1 }, tokensIn: 1 });
      await runs.end(run.id, 'aborted', 'enough', ANN.now);
      const late = runs.write(run.id, await runs.position(run.id), batch(two!, 3), ANN.now);
      await expect(late).rejects.toMatchObject({ name: 'RunFenceLost', step: 1 });
      expect((await entities.entity(ids[1]!)).values.score).toBeUndefined();
    });

    it('leave the approval of what is not sure to people, and what they have overridden alone', async () => {
      const ids = await products(2);
      const { entities } = open.catalog;
      const place = { entityId: ids[0]!, attribute: 'score' };
      await entities.changeValue(place, { kind: 'overridden', value: 42 }, undefined, ANN);
      await runAll(request(), () => {
        const sure = computed(1, 'a'.repeat(64));
        return sure.kind === 'computed'
          ? { ...sure, result: { ...sure.result, confidence: 0.5 } }
          : sure;
      });
      expect((await entities.entity(ids[0]!)).values.score).toMatchObject({
        current: 1,
        override: 42,
        approved: 42,
        awaitsApproval: false,
      });
      expect((await entities.entity(ids[1]!)).values.score).toMatchObject({
        current: 1,
        approved: undefined,
        awaitsApproval: true,
      });
    });

    it('write 5,000 entities at once', async () => {
      const { entities, attributeRuns: runs } = open.catalog;
      await products(0);
      for (let part = 0; part < 5; part += 1)
        await entities.saveEntities(
          'product',
          Array.from({ length: 1_000 }, (_, n) => ({
            key: `${String(part)}-${String(n)}`,
            values: { size: n },
          })),
          ANN,
        );
      const run = await claimed(runs, request());
      const looked = await runs.candidates(run.id, null, 5_000);
      const outcomes = looked.map((one, n) => ({ ...one, outcome: computed(n, 'a'.repeat(64)) }));
      const at = await runs.position(run.id);
      await runs.write(run.id, at, { outcomes, usage: [], warnings: [] }, ANN.now);
      expect(await runs.run(run.id)).toMatchObject({ counts: { processed: 5_000 } });
      const filter: EntityFilter = [{ attribute: 'score', operator: '>=', value: 4_000 }];
      expect(await entities.countEntities('product', filter)).toBe(1_000);
    });
  });
}
