import { ProcessEngine } from 'fuseline';
import { IndexedDBStorage } from 'fuseline/indexeddb';
import { flows, note } from './flows.ts';

export interface Job {
  readonly who: string;
  readonly database: string;
}

/** Makes a worker of whatever context this is. */
export async function work({ who, database }: Job): Promise<ProcessEngine> {
  const engine = new ProcessEngine(Object.values(flows(who)), new IndexedDBStorage(database), { name: who });
  engine.on('disowned', () => note({ who, what: 'disowned' }));
  engine.on('error', ({ error }) => note({ who, what: `error: ${String(error)}` }));
  await engine.start();
  note({ who, what: 'ready' });
  return engine;
}
