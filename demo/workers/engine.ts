/** A worker of the page: one engine over the storage all tabs share. */
import { FuselineError, ProcessEngine } from 'fuseline';
import { IndexedDBStorage } from 'fuseline/indexeddb';
import { type Meddling, meddleAs, UNDISTURBED } from '../photos/meddling.ts';
import type { Order, Report } from '../photos/orders.ts';
import { photoWorkflow } from '../photos/workflow.ts';

/** Two bodies at once are enough to see workers share a run; more would only hide it. */
const CONCURRENCY = 2;

let meddling: Meddling = UNDISTURBED;

addEventListener('message', ({ data: order }: MessageEvent<Order>) => {
  switch (order.type) {
    case 'work':
      meddling = order.meddling;
      work(order.database, order.name).catch(fail);
      return;
    case 'meddle':
      meddling = order.meddling;
      return;
    case 'hang': {
      const until = performance.now() + order.ms;
      while (performance.now() < until);
    }
  }
});

async function work(database: string, name: string): Promise<void> {
  const storage = new IndexedDBStorage(database);
  const engine = new ProcessEngine([photoWorkflow(meddleAs(() => meddling))], storage, {
    name,
    concurrency: CONCURRENCY,
  });
  let state: 'well' | 'in trouble' = 'well';
  engine.on('error', ({ error }) => {
    state = 'in trouble';
    fail(error);
  });
  // It goes on by itself, with what it could not record among the first.
  engine.on('finished', () => {
    if (state === 'in trouble') report({ type: 'working' });
    state = 'well';
  });
  await engine.start();
  report({ type: 'working' });
}

function fail(error: unknown): void {
  const code = error instanceof FuselineError ? error.code : 'UNEXPECTED';
  report({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
}

function report(report: Report): void {
  postMessage(report);
}
