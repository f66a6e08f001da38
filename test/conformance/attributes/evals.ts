import { describe, expect, it } from '@jest/globals';
import { EXACT } from '../../../src/attribute-pipeline/eval-catalog.js';
import { ANN, later, pipelineInput, withProducts, type OpenAttributes } from './open-attributes.js';
import { claimed, computed, GRADE, request, SCORE } from './requested-runs.js';

const USAGE = { model: 'fast', calls: 2, tokensIn: 10, tokensOut: 4, cost: 0.5 };

/** Evals, what models have taken, and what is left to look at. */
export function testEvals(open: OpenAttributes): void {
  /** Two products with a size, a pipeline of their scores, and one of their grades that reads the scores. */
  async function products(): Promise<readonly string[]> {
    const { entities, attributePipelines } = open.catalog;
    const one = { editable: 'overridable', dataType: 'integer' } as const;
    await withProducts(open.catalog, { size: { dataType: 'integer' }, score: one, grade: one });
    await attributePipelines.addPipeline(SCORE, pipelineInput(['size']), ANN);
    await attributePipelines.addPipeline(GRADE, pipelineInput(['score']), ANN);
    const saved = await entities.saveEntities(
      'product',
      ['a', 'b'].map((key) => ({ key, values: { size: 1 } })),
      ANN,
    );
    return saved.map(({ id }) => id);
  }

  const wanted = (entityId: string) => ({
    entityId,
    desiredOutput: 5,
    comparison: EXACT,
    notes: 'from the book',
  });

  describe('evals', () => {
    it('are added once for an entity, changed, listed and removed', async () => {
      const [a = '', b = ''] = await products();
      const { attributeEvals: evals } = open.catalog;
      const first = await evals.addEval(SCORE, wanted(a), ANN);
      expect(first).toMatchObject({
        entityType: 'product',
        attribute: 'score',
        entityId: a,
        desiredOutput: 5,
        passed: null,
        actualOutput: undefined,
        lockVersion: 1,
      });
      await expect(evals.addEval(SCORE, wanted(a), ANN)).rejects.toThrow(/already/);
      await expect(evals.addEval(SCORE, wanted('01NOWHERE'), ANN)).rejects.toThrow(/no entity/);
      await evals.addEval(SCORE, wanted(b), later(1));
      await evals.addEval(GRADE, wanted(a), ANN);
      const page = await evals.evals(SCORE, { limit: 1 });
      expect(page.items).toEqual([first]);
      const rest = await evals.evals(SCORE, { limit: 5, after: page.next! });
      expect(rest.items.map(({ entityId }) => entityId)).toEqual([b]);
      const changed = await evals.changeEval(first.id, { notes: null, desiredOutput: [1] }, 1, ANN);
      expect(changed).toMatchObject({ notes: null, desiredOutput: [1], lockVersion: 2 });
      await expect(evals.changeEval(first.id, { notes: 'x' }, 1, ANN)).rejects.toThrow(/edited/);
      const { id } = await pipelineOf('score');
      expect(await evals.countEvals(id)).toBe(2);
      expect(await evals.countEvals(id, { since: ANN.now, after: null })).toBe(2);
      await evals.removeEval(first.id);
      await expect(evals.eval(first.id)).rejects.toThrow(/no eval/);
    });

    const pipelineOf = (attribute: string) =>
      open.catalog.attributePipelines.pipeline({ entityType: 'product', attribute });

    it('are made of an override', async () => {
      const [a = ''] = await products();
      const { attributeEvals: evals, entities } = open.catalog;
      const of = { entityId: a, comparison: EXACT, notes: null };
      await expect(evals.addEvalOfOverride(SCORE, of, ANN)).rejects.toThrow(/no override/);
      const place = { entityId: a, attribute: 'score' };
      await entities.changeValue(place, { kind: 'overridden', value: 7 }, undefined, ANN);
      expect(await evals.addEvalOfOverride(SCORE, of, ANN)).toMatchObject({ desiredOutput: 7 });
    });

    it('keep what has come of them, and how many pass over time', async () => {
      const [a = '', b = ''] = await products();
      const { attributeEvals: evals } = open.catalog;
      const { id: pipelineId } = await pipelineOf('score');
      const one = await evals.addEval(SCORE, wanted(a), ANN);
      const two = await evals.addEval(SCORE, wanted(b), later(1));
      const since = later(10).now;
      const due = await evals.evalsToRun(pipelineId, { since, after: null, limit: 10 });
      expect(due.map(({ id }) => id)).toEqual([one.id, two.id]);
      const outcome = { inputHash: 'a'.repeat(64), justification: 'so', confidence: 0.9 };
      await evals.recordEvals(
        pipelineId,
        [
          { id: one.id, actualOutput: 5, ...outcome },
          { id: two.id, ...outcome, actualOutput: undefined },
        ],
        [USAGE],
        later(20).now,
      );
      expect(await evals.evalsToRun(pipelineId, { since, after: null, limit: 10 })).toEqual([]);
      expect(await evals.eval(one.id)).toMatchObject({ passed: true, actualOutput: 5 });
      expect(await evals.evalFor(pipelineId, b)).toMatchObject({
        passed: false,
        actualOutput: undefined,
        lastRanAt: later(20).now,
      });
      const failing = await evals.evals(SCORE, { limit: 5 }, { passed: false });
      expect(failing.items.map(({ id }) => id)).toEqual([two.id]);
      expect(await evals.recordRate(pipelineId, 1, later(20).now)).toEqual({
        at: later(20).now,
        pipelineVersion: 1,
        evals: 2,
        passed: 1,
      });
      // Another wish is compared with what there is.
      expect(await evals.changeEval(one.id, { desiredOutput: 6 }, 1, ANN)).toMatchObject({
        passed: false,
      });
      await evals.recordRate(pipelineId, 1, later(30).now);
      const rates = await evals.rates(SCORE, { limit: 1 });
      expect(rates.items).toMatchObject([{ passed: 0 }]);
      expect((await evals.rates(SCORE, { limit: 5, after: rates.next! })).items).toMatchObject([
        { passed: 1 },
      ]);
      expect(await evals.stats([pipelineId])).toEqual(
        new Map([[pipelineId, { evals: 2, failing: 2, averageConfidence: null }]]),
      );
    });
  });

  describe('what models have taken', () => {
    it('is told by pipeline, model, day and run, of runs and of evals', async () => {
      await products();
      const { attributeRuns: runs, attributeEvals: evals, attributePipelines } = open.catalog;
      const { id: pipelineId } = await attributePipelines.pipeline(SCORE);
      const run = await claimed(runs, request());
      const looked = await runs.candidates(run.id, null, 10);
      const outcomes = looked.map((one) => ({ ...one, outcome: computed(1, 'a'.repeat(64)) }));
      const write = { outcomes, usage: [USAGE, { ...USAGE, model: 'free', cost: null }] };
      await runs.write(run.id, { step: 0 }, { ...write, warnings: [] }, ANN.now);
      await evals.recordEvals(pipelineId, [], [USAGE], later(24 * 3_600).now);
      const all = { calls: 4, tokensIn: 20, tokensOut: 8 };
      expect(await runs.costs({ by: ['day', 'model'], limit: 10 })).toEqual([
        { day: '2026-03-02', model: 'fast', calls: 2, tokensIn: 10, tokensOut: 4, cost: 0.5 },
        { day: '2026-03-01', model: 'fast', calls: 2, tokensIn: 10, tokensOut: 4, cost: 0.5 },
        { day: '2026-03-01', model: 'free', calls: 2, tokensIn: 10, tokensOut: 4, cost: null },
      ]);
      expect(await runs.costs({ by: ['pipeline'], to: '2026-03-01', limit: 10 })).toEqual([
        { pipeline: 'product.score', ...all, cost: 0.5 },
      ]);
      expect(await runs.costs({ by: ['run'], place: SCORE, limit: 10 })).toMatchObject([
        { run: '' },
        { run: run.id },
      ]);
      expect(await runs.costs({ by: ['run'], place: GRADE, limit: 10 })).toEqual([]);
      // A run of two entities has cost 0.5: so would the next one.
      expect(await runs.quote(SCORE, { force: true })).toEqual({
        entities: 2,
        tokensIn: 20,
        tokensOut: 8,
        cost: 0.5,
        runsLookedAt: 1,
      });
    });

    it('is held against the budgets of the pipeline, of a run and of a day', async () => {
      await products();
      const { attributeRuns: runs, attributePipelines } = open.catalog;
      const run = await claimed(runs, request());
      expect(await runs.spending(run.id, ANN.now)).toEqual({ averageCost: null });
      const budgets = { runBudget: 2, dayBudget: 0.75 };
      await attributePipelines.changePipeline(SCORE, budgets, 1, ANN);
      const looked = await runs.candidates(run.id, null, 10);
      const outcomes = looked.map((one) => ({ ...one, outcome: computed(1, 'a'.repeat(64)) }));
      await runs.write(run.id, { step: 0 }, { outcomes, usage: [USAGE], warnings: [] }, ANN.now);
      expect(await runs.spending(run.id, ANN.now)).toEqual({
        left: { rest: 0.25, budget: { kind: 'day', budget: 0.75, spent: 0.5 } },
        averageCost: 0.25,
      });
      expect(await runs.spending(run.id, later(24 * 3_600).now)).toMatchObject({
        left: { rest: 0.75 },
      });
      // Beside its runs, by what those have taken.
      expect(await runs.daySpending(SCORE, ANN.now)).toEqual({
        left: { rest: 0.25, budget: { kind: 'day', budget: 0.75, spent: 0.5 } },
        averageCost: 0.25,
      });
      expect(await runs.daySpending(GRADE, ANN.now)).toEqual({ averageCost: null });
    });

    it('counts also for what is not written, without a batch', async () => {
      await products();
      const { attributeRuns: runs } = open.catalog;
      const run = await claimed(runs, request());
      const unwritten = { outcomes: [], usage: [USAGE], warnings: [] };
      const after = await runs.write(run.id, { step: 0 }, unwritten, ANN.now);
      expect(after).toMatchObject({ entityId: null, seen: 0, tokensIn: 10, cost: 0.5 });
      expect(after.counts.batches).toBe(0);
      const again = runs.write(run.id, { step: 0 }, unwritten, ANN.now);
      await expect(again).rejects.toMatchObject({ name: 'RunFenceLost' });
    });
  });

  describe('what is left to look at', () => {
    it('stays due behind a run of a part of it; who has failed is not', async () => {
      const [a = '', b = ''] = await products();
      const { attributeRuns: runs } = open.catalog;
      const names = async () => (await runs.due('product')).map(({ attribute }) => attribute);
      const part = await claimed(runs, request({ entityIds: [a] }, { now: later(1).now }));
      expect(part).toMatchObject({ trigger: 'manual', reference: null });
      await runs.end(part.id, 'completed', null, later(2).now);
      expect(await names()).toContain('score');
      const saved = { trigger: 'entity_save', now: later(3).now } as const;
      const whole = await claimed(runs, request({ changedOnly: true }, saved));
      // Whose change it is for that came last.
      expect([a, b]).toContain(whole.reference);
      expect(whole.principal).toBe(ANN.principal);
      const looked = await runs.candidates(whole.id, null, 10);
      const outcomes = looked.map((one) => ({
        ...one,
        outcome: { kind: 'failed', module: 'calculation', message: 'no' } as const,
      }));
      const batch = { outcomes, usage: [], warnings: [] };
      await runs.write(whole.id, { step: 0 }, batch, later(4).now);
      await runs.end(whole.id, 'failed', 'no', later(5).now);
      expect(await names()).not.toContain('score');
      // A forced run puts those down that fail: for whoever looks next, and not to be tried at once.
      const forced = await claimed(runs, request({ force: true }, { now: later(6).now }));
      await runs.noteCancelled(forced.id, 'bob');
      await runs.noteCancelled(forced.id, 'eve');
      await runs.write(forced.id, { step: 0 }, batch, later(7).now);
      const over = await runs.end(forced.id, 'aborted', 'cancelled', later(8).now);
      expect(over).toMatchObject({ cancelledBy: 'bob' });
      expect(await names()).not.toContain('score');
    });

    it('makes pipelines due, until a run has begun after it', async () => {
      const [a = ''] = await products();
      const { attributeRuns: runs, attributePipelines } = open.catalog;
      const { id } = await attributePipelines.pipeline(SCORE);
      const names = async () =>
        (await runs.due('product')).map(({ attribute }) => attribute).sort();
      expect(await names()).toEqual(['grade', 'score']);
      expect(await runs.due('other')).toEqual([]);
      const switched = await attributePipelines.changePipeline(SCORE, { automatic: false }, 1, ANN);
      expect(switched).toMatchObject({ automatic: false, version: 1 });
      expect(await names()).toEqual(['grade']);
      await attributePipelines.changePipeline(SCORE, { automatic: true }, 2, ANN);
      expect(await names()).toEqual(['grade', 'score']);
      expect(await runs.pendingChange(id, a)).toEqual({
        cause: 'input',
        attribute: 'size',
        at: ANN.now,
      });
      const run = await claimed(runs, request({ changedOnly: true }, { now: later(1).now }));
      expect(await runs.countCandidates(run.id)).toBe(2);
      expect((await runs.unfinished(10)).map(({ id: found }) => found)).toEqual([run.id]);
      await runs.end(run.id, 'failed', 'no luck', later(2).now);
      // It has looked at them, whatever has come of it.
      expect(await names()).toEqual(['grade']);
      expect(await runs.unfinished(10)).toEqual([]);
      // A run of what has changed alone has not looked at all of them.
      const next = await claimed(runs, request({}, { now: later(3).now }));
      expect(await runs.countCandidates(next.id)).toBe(2);
      expect(await runs.active(SCORE)).toMatchObject({ id: next.id });
      expect(await runs.active(GRADE)).toBeUndefined();
    });

    it('is asked for once by one id, and ends without beginning', async () => {
      await products();
      const { attributeRuns: runs } = open.catalog;
      const wish = request();
      const first = await runs.request(wish);
      expect(await runs.request(wish)).toEqual(first);
      expect(first).toMatchObject({ status: 'waiting', runSeq: 1 });
      await runs.end(first.id, 'aborted', 'nobody wants it', later(1).now);
      expect(await runs.claim(first.id, later(2).now)).toMatchObject({ kind: 'over' });
      const { lastRun } = await open.catalog.attributePipelines.pipeline(SCORE);
      expect(lastRun).toBeNull();
    });
  });
}
