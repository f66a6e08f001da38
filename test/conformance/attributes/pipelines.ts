import { describe, expect, it } from '@jest/globals';
import { ANN, later, pipelineInput, withProducts, type OpenAttributes } from './open-attributes.js';

const COMPUTED = { editable: 'no' } as const;
const A = { entityType: 'product', attribute: 'a' };
const B = { entityType: 'product', attribute: 'b' };

/** Pipelines as people save them. */
export function testPipelines(open: OpenAttributes): void {
  describe('pipelines', () => {
    it('are added with their modules, found, listed and removed', async () => {
      const { attributePipelines: pipelines, entities } = open.catalog;
      await withProducts(open.catalog, { size: {}, a: COMPUTED, b: COMPUTED });
      const added = await pipelines.addPipeline(
        A,
        pipelineInput(['size'], { name: 'First', batchSize: 50, runBudget: 2.5 }),
        ANN,
      );
      expect(added).toMatchObject({
        entityType: 'product',
        attribute: 'a',
        name: 'First',
        version: 1,
        versionAt: ANN.now,
        inputs: ['size'],
        batchSize: 50,
        runBudget: 2.5,
        dayBudget: null,
        onError: 'abort',
        lastRun: null,
        lockVersion: 1,
        modules: [
          { module: 'attributes_source', settings: { attributes: ['size'] } },
          { module: 'calculation' },
        ],
      });
      expect((await entities.attribute('product', 'a')).pipelineId).toBe(added.id);
      await pipelines.addPipeline(B, pipelineInput(['a', 'size']), ANN);
      const first = await pipelines.pipelines({ limit: 1 });
      expect(first).toMatchObject({ items: [added], next: 'product.a' });
      const rest = await pipelines.pipelines({ limit: 1, after: 'product.a' });
      expect(rest).toMatchObject({ items: [{ attribute: 'b', inputs: ['a', 'size'] }] });
      expect((await pipelines.pipelines({ limit: 5 }, { entityType: 'firm' })).items).toEqual([]);
      await expect(entities.removeAttribute('product', 'a')).rejects.toThrow(
        /a pipeline computes it/,
      );
      await expect(entities.removeAttribute('product', 'size')).rejects.toThrow(
        /the pipeline of a reads it|the pipeline of b reads it/,
      );
      await pipelines.removePipeline(A);
      await expect(pipelines.pipeline(A)).rejects.toThrow('There is no pipeline "product.a".');
      expect((await entities.attribute('product', 'a')).pipelineId).toBeNull();
    });

    it('have another version by other modules or settings, and not by another name', async () => {
      const { attributePipelines: pipelines } = open.catalog;
      await withProducts(open.catalog, { size: {}, a: COMPUTED });
      const { modules } = await pipelines.addPipeline(A, pipelineInput(['size']), ANN);
      const named = await pipelines.changePipeline(
        A,
        { name: 'Other', onError: 'continue' },
        1,
        later(1),
      );
      expect(named).toMatchObject({ name: 'Other', version: 1, lockVersion: 2, modules });
      const same = [...modules].map(({ module, settings }) => ({
        module,
        settings: { ...settings },
      }));
      expect((await pipelines.changePipeline(A, { modules: same }, 2, later(2))).version).toBe(1);
      const settings = { code: 'return 2' };
      const recoded = await pipelines.changePipeline(
        A,
        { modules: [same[0]!, { module: 'calculation', settings }] },
        3,
        later(3),
      );
      expect(recoded).toMatchObject({ version: 2, versionAt: later(3).now, inputs: ['size'] });
      const reordered = await pipelines.changePipeline(
        A,
        { modules: [same[0]!, same[1]!, { module: 'calculation', settings }] },
        4,
        later(4),
      );
      expect(reordered.version).toBe(3);
      await expect(pipelines.changePipeline(A, { name: null }, 4, ANN)).rejects.toMatchObject({
        name: 'EditConflict',
        yours: 4,
        current: 5,
      });
    });

    it('are refused for what is not there, or written by others, or has one', async () => {
      const { attributePipelines: pipelines, entities } = open.catalog;
      await withProducts(open.catalog, {
        size: {},
        a: COMPUTED,
        b: COMPUTED,
        fetched: { editable: 'no', isSync: 'from_external' },
      });
      const add = (attribute: string, inputs = ['size'], name: string | null = null) =>
        pipelines.addPipeline({ ...A, attribute }, pipelineInput(inputs, { name }), ANN);
      await expect(add('colour')).rejects.toThrow('There is no attribute of product "colour".');
      await expect(add('a', ['colour'])).rejects.toThrow(
        'There is no attribute of product "colour".',
      );
      await expect(add('size', [])).rejects.toThrow(/People write size/);
      await expect(add('fetched')).rejects.toThrow(/Another system writes fetched/);
      await add('a', ['size'], 'One');
      await expect(add('a')).rejects.toMatchObject({ name: 'NameTaken', taken: 'product.a' });
      await expect(add('b', ['size'], 'One')).rejects.toMatchObject({
        name: 'NameTaken',
        taken: 'One',
      });
      const edit = { editable: 'yes' } as const;
      await expect(entities.changeAttribute('product', 'a', edit, 1, ANN)).rejects.toThrow(
        /A pipeline computes it/,
      );
    });

    it('never wait for each other, whoever saves them at the same time', async () => {
      const { attributePipelines: pipelines } = open.catalog;
      await withProducts(open.catalog, { size: {}, a: COMPUTED, b: COMPUTED });
      await expect(pipelines.addPipeline(A, pipelineInput(['a']), ANN)).rejects.toThrow(/a → a/);
      const other = (await open.another()).attributePipelines;
      const saved = await Promise.allSettled([
        pipelines.addPipeline(A, pipelineInput(['b']), ANN),
        other.addPipeline(B, pipelineInput(['a']), ANN),
      ]);
      expect(saved.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(saved.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { name: 'DependencyCycle' },
      });
      const { items } = await pipelines.pipelines({ limit: 5 });
      expect(items).toHaveLength(1);
      const [only] = items;
      const back = only!.attribute === 'a' ? B : A;
      await pipelines.addPipeline(back, pipelineInput(['size']), ANN);
      await expect(
        pipelines.changePipeline(back, pipelineInput([only!.attribute]), 1, ANN),
      ).rejects.toThrow(/a → b → a|b → a → b/);
    });
  });
}
