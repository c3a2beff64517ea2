import { join } from 'node:path';
import { entrypoint, task } from '@langchain/langgraph';
import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite';
import type { Engine } from '../engine.ts';
import { perform, type Result, type Task } from '../tasks.ts';

async function stepOf(name: string, body: () => Promise<Result>): Promise<Result> {
  return await task(name, body)();
}

export const langgraph: Engine = {
  name: 'LangGraph',
  package: '@langchain/langgraph',
  storage: 'SqliteSaver (better-sqlite3)',
  keeps: 'on disk',
  takeover: 'a restart',
  note: 'its functional API, `durability: "sync"`. It has no worker: after the kill the application itself calls the run again.',
  async open({ directory, held }) {
    const checkpointer = SqliteSaver.fromConnString(join(directory, 'langgraph.db'));
    const work = entrypoint(
      { name: 'work', checkpointer },
      async (input: Task): Promise<number> => perform(input, (name, body) => stepOf(name, body), held),
    );
    const invoke = async (input: Task | null, thread_id: string): Promise<number> =>
      await work.invoke(input as Task, { configurable: { thread_id }, durability: 'sync' });
    return {
      run: (tasks) => Promise.all(tasks.map((input) => invoke(input, crypto.randomUUID()))),
      async start(input) {
        void invoke(input, 'started');
      },
      async work() {
        // By the process that started it, it runs already.
        if ((await checkpointer.getTuple({ configurable: { thread_id: 'started' } })) !== undefined)
          await invoke(null, 'started');
      },
      close: async () => void checkpointer.db.close(),
    };
  },
};
