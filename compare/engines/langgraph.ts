import { join } from 'node:path';
import { type BaseCheckpointSaver, entrypoint, MemorySaver, task } from '@langchain/langgraph';
import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite';
import type { Engine, Room, Session } from '../engine.ts';
import { perform, type Result, type Task } from '../tasks.ts';

export const langgraph: Engine = {
  name: 'LangGraph',
  package: '@langchain/langgraph',
  storage: 'SqliteSaver',
  keeps: 'on disk',
  takeover: 'a restart',
  note: 'its functional API with `durability: "sync"`. It has no worker: after the kill the application itself calls the run again.',
  async unfit() {
    try {
      SqliteSaver.fromConnString(':memory:').db.close();
      return undefined;
    } catch {
      return `better-sqlite3 is not built for Node ${process.version} here`;
    }
  },
  open: async (room) => session(SqliteSaver.fromConnString(join(room.directory, 'langgraph.db')), room),
};

export const langgraphInMemory: Engine = {
  name: 'LangGraph, in memory',
  package: '@langchain/langgraph',
  storage: 'MemorySaver, in memory',
  keeps: 'in memory',
  takeover: 'nobody',
  open: async (room) => session(new MemorySaver(), room),
};

/** Of the run whose process is killed. */
const STARTED = 'started';

function session(checkpointer: BaseCheckpointSaver, { held }: Room): Session {
  const work = entrypoint({ name: 'work', checkpointer }, (input: Task): Promise<number> => perform(input, step, held));
  const invoke = async (input: Task | null, thread_id: string): Promise<number> =>
    await work.invoke(input as Task, { configurable: { thread_id }, durability: 'sync' });
  let own = false;
  return {
    run: (tasks) => Promise.all(tasks.map((input) => invoke(input, crypto.randomUUID()))),
    async start(input) {
      own = true;
      void invoke(input, STARTED);
    },
    async work() {
      if (!own) await invoke(null, STARTED);
    },
    close: async () => {},
  };
}

async function step(name: string, body: () => Promise<Result>): Promise<Result> {
  return await task(name, body)();
}
