import { basename } from 'node:path';
import { DBOS } from '@dbos-inc/dbos-sdk';
import type { Engine } from '../engine.ts';
import { perform, type Task } from '../tasks.ts';

export const dbos: Engine = {
  name: 'DBOS',
  package: '@dbos-inc/dbos-sdk',
  storage: 'PostgreSQL',
  service: 'postgres',
  needs: ['postgres', 'initdb'],
  keeps: 'on disk',
  takeover: 'a restart',
  async open({ directory, url, held }) {
    const work = DBOS.registerWorkflow(
      (task: Task) => perform(task, (name, body) => DBOS.runStep(body, { name }), held),
      { name: 'work' },
    );
    const room = basename(directory).replace('-', '_');
    DBOS.setConfig({ name: 'compare', systemDatabaseUrl: url.replace(/postgres$/, room), logLevel: 'error' });
    // It takes up what an earlier process of the same executor left.
    await DBOS.launch();
    return {
      async run(tasks) {
        const handles = await Promise.all(tasks.map((task) => DBOS.startWorkflow(work)(task)));
        return await Promise.all(handles.map((handle) => handle.getResult()));
      },
      async start(task) {
        await DBOS.startWorkflow(work)(task);
      },
      work: async () => {},
      close: () => DBOS.shutdown(),
    };
  },
};
