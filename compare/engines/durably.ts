import { join } from 'node:path';
import { createDurably, defineJob } from '@coji/durably';
import { createClient } from '@libsql/client';
import { LibsqlDialect } from '@libsql/kysely-libsql';
import { z } from 'zod';
import type { Engine } from '../engine.ts';
import { perform } from '../tasks.ts';

export const durably: Engine = {
  name: 'durably',
  package: '@coji/durably',
  storage: 'SQLite (libsql)',
  keeps: 'on disk',
  takeover: 'another worker',
  async open({ directory, held }) {
    const client = createClient({ url: `file:${join(directory, 'durably.db')}` });
    const instance = createDurably({
      dialect: new LibsqlDialect({ client }),
      maxConcurrentRuns: 64,
      jobs: {
        work: defineJob({
          name: 'work',
          input: z.object({ kind: z.enum(['chain', 'fan', 'short', 'held']), size: z.number() }),
          output: z.object({ value: z.number() }),
          run: async (step, input) => ({ value: await perform(input, (name, body) => step.run(name, body), held) }),
        }),
      },
    });
    await instance.migrate();
    return {
      async run(tasks) {
        const runs = await instance.jobs.work.batchTrigger(tasks.map((input) => ({ input })));
        const ends = runs.map(({ id }) => instance.waitForRun(id));
        instance.start();
        const ended = await Promise.all(ends);
        return ended.map(({ output }) => (output as { value: number }).value);
      },
      // Started again, it looks at once.
      rest: () => instance.stop(),
      async start(task) {
        await instance.jobs.work.trigger(task);
      },
      work: async () => instance.start(),
      close: () => instance.stop(),
    };
  },
};
