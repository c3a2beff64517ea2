// Writes a journal as this build writes it; see README.md. `node --import ./scripts/typescript.mjs test/journals/write.ts test/journals/NAME`
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { webHost } from '../../src/adapters/host.ts';
import { FileStore } from '../../src/adapters/node-file/file-store.ts';
import type { Fence } from '../../src/core/events.ts';
import type { Network } from '../../src/core/host.ts';
import { ProcessEngine } from '../../src/core/process-engine.ts';
import { RuntimeStorage } from '../../src/core/storage.ts';
import type { HistoryEvent } from '../../src/core/views.ts';
import { finishCopy } from './finish.ts';
import { flows } from './flows.ts';
import { formatOf } from './format.ts';
import { endsOf, foldOf } from './look.ts';

/** A process of a machine that is not this one: a journal tells nobody where it was written. */
const liveness = { evidence: JSON.stringify({ pid: 1, host: 'elsewhere' }), watch: () => undefined };
/** Everybody believes to be online, and nobody is. */
const cutOff: Network = { isOnline: true, watch: () => () => undefined, probe: async () => false };
const SEGMENT_BYTES = 12 * 1024;

function open(directory: string): { readonly storage: RuntimeStorage; readonly store: FileStore } {
  const store = new FileStore(directory, { segmentBytes: SEGMENT_BYTES });
  return { store, storage: new RuntimeStorage({ store, host: webHost, liveness, network: cutOff }) };
}

const [, , home = '', role] = process.argv;
const directory = join(home, 'data');
if (role === 'worker') await work();
else {
  await write();
  if (role !== 'data') await record();
}

/** Once it is told to, works until it is killed; the steps that hold never end. */
async function work(): Promise<void> {
  await text(process.stdin);
  const { storage } = open(directory);
  const all = flows(async ({ runId, step }) => {
    console.log(`${runId} ${step}`);
    await new Promise(() => undefined);
  });
  await new ProcessEngine(Object.values(all) as never, storage, { name: 'writer', concurrency: 64 }).start();
}

async function write(): Promise<void> {
  if (home === '' || existsSync(directory))
    throw new Error(`name a directory that is not there yet, not ${JSON.stringify(home)}`);
  mkdirSync(directory, { recursive: true });
  const { storage, store } = open(directory);
  const all = flows(async () => undefined);
  const { values, hostile, failing, failFast, held, retried, anyJoin, once, roads, fallback, urgent, late } = all;
  const finish = async (run: string): Promise<void> => {
    await new ProcessEngine([values, hostile, failing, failFast, held, roads, all.frail] as never, storage, {
      name: 'writer',
    }).work(run);
  };

  // Removed runs, until a snapshot stands where they stood.
  for (let i = 0; !store.stats()?.compactions; i++) {
    await values.dispatch({ n: i }, { storage, id: 'removed' });
    await finish('removed');
    await storage.remove('removed');
    await storage.sweep();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  await values.dispatch({ n: 1 }, { storage, id: 'finished', labels: { customer: 'Zoë', ['__proto__']: 'label' } });
  await hostile.dispatch(undefined, { storage, id: 'finished-hostile' });
  await failing.dispatch(undefined, { storage, id: 'failed' });
  await failFast.dispatch(undefined, { storage, id: 'failed-fast' });
  await roads.dispatch(undefined, { storage, id: 'finished-roads' });
  for (const run of ['finished', 'finished-hostile', 'failed', 'failed-fast', 'finished-roads']) await finish(run);
  await (await held.dispatch(1, { storage, id: 'cancelled-early' })).cancel();
  await (await held.dispatch(1, { storage, id: 'paused' })).pause();
  await held.dispatch(1, { storage, id: 'waiting', priority: -3 });
  await storage.pause('waiting');
  await storage.resume('waiting');
  await storage.signal('waiting', 'approve 日本', { by: 'somebody', pad: 'p'.repeat(4200) });
  const frail = await all.frail.dispatch(undefined, { storage, id: 'frail' });
  await finish('frail');
  await frail.retry();
  const rerun = await held.dispatch(1, { storage, id: 'rerun' });
  await finish('rerun');
  await rerun.enqueue('first');

  await values.dispatch({ n: 2 }, { storage, id: 'held-values' });
  await hostile.dispatch(undefined, { storage, id: 'held-hostile' });
  await anyJoin.dispatch(undefined, { storage, id: 'held-any' });
  await once.dispatch(undefined, { storage, id: 'held-once' });
  await roads.dispatch(undefined, { storage, id: 'held-roads' });
  await fallback.dispatch(undefined, { storage, id: 'falling-back' });
  await urgent.dispatch(undefined, { storage, id: 'urgent', priority: 9 });
  await held.dispatch(1, { storage, id: 'cancelled-held' });
  await retried.dispatch(undefined, { storage, id: 'retrying' });
  await all.upload.dispatch(undefined, { storage, id: 'offline' });
  await all.listed.dispatch(undefined, { storage, id: 'listed' });
  await all.family.dispatch(undefined, { storage, id: 'family' });
  await all.talking.dispatch(undefined, { storage, id: 'talking' });
  await all.patient.dispatch(undefined, { storage, id: 'patient' });
  await storage.signal('patient', 'news 日本', 'early', { id: 'early' });
  await storage.signal('patient', 'answer', 'no', { id: 'no' });

  // One worker dies; another takes over, tries what fails, and dies as well.
  const holds = ['waiting', 'rerun', 'held-values', 'held-hostile', 'held-any', 'held-any', 'held-once', 'held-roads'];
  holds.push('falling-back', 'urgent', 'cancelled-held', 'talking', 'listed', 'family');
  const [first, second] = [worker(), worker()];
  first.start();
  await first.holds(holds.length);
  await storage.release('waiting', [(await storage.peek('waiting', (state) => state.claimOf(1))) as Fence]);
  await first.holds(holds.length + 1);
  await told(storage, 'retrying', 'retrying');
  await told(storage, 'offline', 'offline');
  await told(storage, 'family', 'returned');
  await told(storage, 'patient', 'refused');
  await told(storage, 'patient', 'looped');
  // Its deadline must not pass before the second worker is gone.
  await late.dispatch(undefined, { storage, id: 'late' });
  await first.holds(holds.length + 2);
  await storage.cancel('cancelled-held');
  await first.kill();
  for (const { id } of await storage.sessions.list()) await storage.reap(id);
  await held.dispatch(1, { storage, id: 'scheduled', startAt: Date.now() + 10_000 });
  second.start();
  // A step that went down with its worker is claimed alone.
  await second.holds(1);
  await second.kill();
  await storage.close();
}

/** Waits for what the journal will always say: a moment in which a step is put off may be over before it is looked at. */
async function told(storage: RuntimeStorage, run: string, type: HistoryEvent['type']): Promise<void> {
  for await (const event of storage.watch(run)) if (event.type === type) return;
  throw new Error(`run ${run} ended without ${type}`);
}

/** What this build makes of it: read it through before it is committed. */
async function record(): Promise<void> {
  const { storage: reader } = open(directory);
  note('folded.json', await foldOf(reader));
  note('format.json', await formatOf(directory));
  const { deadline = 0 } = await reader.get('late');
  await reader.close();
  // Whenever the journal is read, it is later than this.
  await new Promise((resolve) => setTimeout(resolve, deadline - Date.now()));
  const finished = await finishCopy(directory, endsOf);
  note('finished.json', finished);
}

function note(file: string, what: unknown): void {
  writeFileSync(join(home, file), `${JSON.stringify(what, undefined, 1)}\n`);
}

interface Worker {
  start(): void;
  /** Waits until so many steps are under way. */
  holds(count: number): Promise<void>;
  kill(): Promise<void>;
}

function worker(): Worker {
  const child = spawn(process.execPath, [...process.execArgv, import.meta.filename, home, 'worker'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  const lines: string[] = [];
  let wake = (): void => undefined;
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    wake();
  });
  return {
    start: () => void child.stdin.end(),
    async holds(count) {
      while (lines.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
    async kill() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
