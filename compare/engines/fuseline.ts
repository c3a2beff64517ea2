import { join } from 'node:path';
import { FileStorage } from '../../dist/adapters/node-file/index.js';
import {
  MemoryStorage,
  ProcessEngine,
  type RuntimeStorage,
  type Step,
  typed,
  type Workflow,
  workflow,
} from '../../dist/index.js';
import type { Engine, Room, Session } from '../engine.ts';
import { one, type Result, sum, type Task, ZERO } from '../tasks.ts';

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
    const name = `${task.kind}-${task.size}`;
    const definition = known.get(name) ?? define(name, task, room);
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

function define(name: string, { kind, size }: Task, room: Room): Workflow<null, number> {
  return workflow(name, { input: typed<null>() }, ($) => {
    if (kind === 'held') {
      const held = $.step('held', {}, () => room.held());
      return $.step('value', { held }, ({ held }) => held.value);
    }
    if (kind === 'fan') {
      const steps = Array.from(
        { length: size },
        (_, i) => [`s${i}`, $.step(`s${i}`, {}, () => one({ value: i }))] as const,
      );
      return $.step('sum', Object.fromEntries(steps), (results) => sum(Object.values(results)));
    }
    let last: Step<Result> = $.step('s0', {}, () => one(ZERO));
    for (let i = 1; i < size; i++) last = $.step(`s${i}`, { before: last }, ({ before }) => one(before));
    return $.step('value', { last }, ({ last }) => last.value);
  });
}
