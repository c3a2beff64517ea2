import { ProcessEngine } from 'fuseline';
import { IndexedDBStorage } from 'fuseline/indexeddb';
import { flows, note } from './flows.ts';
import { type Storm, storm } from './storm.ts';

export interface Job {
  readonly who: string;
  readonly database: string;
  /** What it works on instead of the small workflows, and how many steps of it at once. */
  readonly storm?: Storm & { readonly concurrency: number };
}

/** Makes a worker of whatever context this is. */
export async function work({ who, database, storm: stormy }: Job): Promise<ProcessEngine> {
  const workflows = stormy ? [storm(who, stormy)] : Object.values(flows(who));
  const engine = new ProcessEngine(workflows, new IndexedDBStorage(database), {
    name: who,
    ...(stormy && { concurrency: stormy.concurrency }),
  });
  engine.on('disowned', () => note({ who, what: 'disowned' }));
  engine.on('error', ({ error }) => note({ who, what: `error: ${String(error)}` }));
  await engine.start();
  note({ who, what: 'ready' });
  return engine;
}
