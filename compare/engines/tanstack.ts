import { createWorkflow, inMemoryRunStore, runWorkflow } from '@tanstack/workflow-core';
import { z } from 'zod';
import type { Engine } from '../engine.ts';
import { perform, type Task } from '../tasks.ts';

export const tanstack: Engine = {
  name: 'TanStack Workflow',
  package: '@tanstack/workflow-core',
  storage: 'in memory',
  keeps: 'in memory',
  takeover: 'nobody',
  async open({ held }) {
    const runStore = inMemoryRunStore();
    const work = createWorkflow({
      id: 'work',
      input: z.object({ kind: z.enum(['chain', 'fan', 'short', 'held']), size: z.number() }),
    }).handler(async (ctx) => ({ value: await perform(ctx.input, (name, body) => ctx.step(name, body), held) }));
    const run = async (input: Task): Promise<number> => {
      let value: number | undefined;
      const outputSink = (output: unknown) => {
        value = (output as { readonly value: number }).value;
      };
      for await (const event of runWorkflow({ workflow: work, input, runStore, outputSink })) {
        if (event.type === 'RUN_ERRORED') throw new Error(JSON.stringify(event));
      }
      if (value === undefined) throw new Error('the workflow ended without an output');
      return value;
    };
    return {
      run: (tasks) => Promise.all(tasks.map(run)),
      async start(task) {
        void run(task);
      },
      work: async () => {},
      close: async () => {},
    };
  },
};
