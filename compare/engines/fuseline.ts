import { join } from 'node:path';
import { FileStorage } from '../../dist/adapters/node-file/index.js';
import { MemoryStorage, ProcessEngine, type RuntimeStorage, type Workflow } from '../../dist/index.js';
import { define, nameOf } from '../definition.ts';
import type { Engine, Room, Session } from '../engine.ts';
import type { Task } from '../tasks.ts';

export const fuseline: Engine = {
  name: 'Fuseline',
  storage: "FileStorage, durability 'strict'",
  keeps: 'on disk',
  takeover: 'another worker',
  open: async (room) => session(new FileStorage(join(room.directory, 'runs'), { durability: 'strict' }), room),
};

export const fuselineInMemory: Engine = {
  name: 'Fuseline, in memory',
  storage: 'MemoryStorage, in memory',
  keeps: 'in memory',
  takeover: 'nobody',
  open: async (room) => session(new MemoryStorage(), room),
};

function session(storage: RuntimeStorage, room: Room): Session {
  const known = new Map<string, Workflow<null, number>>();
  const definitionOf = (task: Task) => {
    const name = nameOf(task);
    const definition = known.get(name) ?? define(task, () => room.held());
    known.set(name, definition);
    return definition;
  };
  return {
    async run(tasks) {
      const definitions = tasks.map(definitionOf);
      const runs = await Promise.all(definitions.map((definition) => definition.dispatch(null, { storage })));
      await new ProcessEngine([...new Set(definitions)], storage).work();
      return await Promise.all(runs.map((run) => run.result()));
    },
    async start(task) {
      await definitionOf(task).dispatch(null, { storage });
    },
    work: () => new ProcessEngine(definitionOf({ kind: 'held', size: 1 }), storage).start(),
    close: () => storage.close(),
  };
}
