import { join } from 'node:path';
import { OpenWorkflow } from 'openworkflow';
import { BackendSqlite } from 'openworkflow/sqlite';
import { Endings, type Engine } from '../engine.ts';
import { perform, type Task } from '../tasks.ts';

interface Input extends Task {
  readonly key: string;
}

export const openworkflow: Engine = {
  name: 'openworkflow',
  package: 'openworkflow',
  storage: 'SQLite (node:sqlite)',
  keeps: 'on disk',
  takeover: 'another worker',
  async open({ directory, held }) {
    const backend = BackendSqlite.connect(join(directory, 'openworkflow.db'));
    const client = new OpenWorkflow({ backend });
    const endings = new Endings();
    const work = client.defineWorkflow<Input, { value: number }>({ name: 'work' }, async ({ input, step }) => {
      const value = await perform(input, (name, body) => step.run({ name }, body), held);
      endings.tell(input.key, value);
      return { value };
    });
    let worker = client.newWorker({ concurrency: 64 });
    return {
      async run(tasks) {
        const keyed = tasks.map((task) => ({ ...task, key: crypto.randomUUID() }));
        const ends = keyed.map(({ key }) => endings.of(key));
        await Promise.all(keyed.map((input) => work.run(input)));
        await worker.start();
        return await Promise.all(ends);
      },
      async rest() {
        await worker.stop();
        worker = client.newWorker({ concurrency: 64 });
      },
      async start(task) {
        await work.run({ ...task, key: '' });
      },
      work: () => worker.start(),
      close: () => backend.stop(),
    };
  },
};
