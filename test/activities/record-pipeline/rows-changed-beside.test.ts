import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { coreOf } from '../../../adapters/record-store/define-store.js';
import {
  defineRecordPipeline,
  step,
  type Processor,
} from '../../../src/record-pipeline/record-pipeline.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { drain } from './draining.js';
import { PROCESSORS, withStaff } from './staff-store.js';

const COUNT = 20;

/** Each body notes in the name of its record how many visits it was given with it. */
function noting(
  store: ReturnType<typeof withStaff>,
  processor: Processor,
  alongside: (id: number) => void = () => undefined,
) {
  return defineRecordPipeline(store, {
    name: 'staff',
    processor,
    steps: [
      step({
        label: 'note',
        records: (s) => s.employee.where({ processed: false }),
        each: async ({ record: employee }) => {
          const { id, visits } = employee;
          await delay(1);
          alongside(id);
          employee.update({ name: `given ${String(visits)}`, processed: true });
        },
      }),
    ],
  });
}

describe.each(PROCESSORS)(
  'a record that changes while it waits for its body, %s',
  (_, processor) => {
    const folder = useTemporaryDirectory();

    it('by a trigger, when another record is written, is given anew', async () => {
      const store = withStaff(folder.path, COUNT);
      coreOf(store).live.db.exec(
        `create trigger pass_on after update of processed on employees begin
         update employees set visits = visits + 1 where id = new.id + 1 and processed = 0;
       end`,
      );
      await drain(noting(store, processor));
      const employees = store.employee.all();
      expect(employees.filter(({ visits }) => visits > 0).length).toBeGreaterThan(COUNT / 4);
      expect(employees.filter(({ name, visits }) => name !== `given ${String(visits)}`)).toEqual(
        [],
      );
      store.close();
    });

    it('by another tool is given anew', async () => {
      const store = withStaff(folder.path, COUNT);
      const tool = new Sqlite(join(folder.path, 'db.sqlite3'), { timeout: 5_000 });
      const visit = tool.prepare(
        'update employees set visits = visits + 1 where id = ? and processed = 0',
      );
      const visited = new Set<number>();
      await drain(
        noting(store, processor, (id) => {
          // It begins again for it, and is to come to an end.
          if (visited.has(id)) return;
          visited.add(id);
          if (id % 3 === 0) visit.run(id);
          if (id % 4 === 0) visit.run(id + 1);
        }),
      );
      const employees = store.employee.all();
      expect(employees.filter(({ name, visits }) => name !== `given ${String(visits)}`)).toEqual(
        [],
      );
      tool.close();
      store.close();
    });
  },
);
