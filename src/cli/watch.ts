import type { FileStorage } from '../adapters/node-file/index.ts';
import { type Attempts, evolveAttempts } from '../core/attempts.ts';
import type { Graph } from '../core/graph.ts';
import type { HistoryEvent, RunView } from '../core/views.ts';
import { jsonOf, lineOf, readEvent } from './event-line.ts';
import { EXIT, type Exit } from './exits.ts';
import { onInterrupt } from './interrupt.ts';
import type { CommonOptions } from './options.ts';
import { json } from './output.ts';
import { isRead, LiveArea, print } from './streams.ts';
import { drawRun, type Watched } from './timeline.ts';
import { evolveTold, type Told } from './told.ts';

/** News are shown so often at most. */
const NEWS_MS = 100;
/** While nothing happens, the time goes on so often. */
const TICK_MS = 500;
/** So often the sentence on what the run waits for is looked up although nothing happened: workers come and go. */
const EXPLAIN_MS = 1000;

/** Shows a run until it has ended, or until Ctrl-C: live on a terminal, else a line for every event. */
export async function watch(storage: FileStorage, id: string, options: CommonOptions): Promise<Exit> {
  let stop: () => void = () => undefined;
  const interrupted = new Promise<'interrupted'>((resolve) => {
    stop = () => resolve('interrupted');
  });
  const stopHearing = onInterrupt({ drain: stop, leave: stop });
  try {
    const isLive = process.stdout.isTTY && !options.json;
    const following = isLive ? new Live(storage, id).follow(interrupted) : tell(storage, id, options, stop);
    if ((await Promise.race([following, interrupted])) === 'interrupted' && isRead()) return EXIT.interrupted;
    const { status } = await storage.get(id);
    return status === 'FAILED' || status === 'CANCELLED' ? EXIT.failed : EXIT.ok;
  } finally {
    stopHearing();
  }
}

async function tell(storage: FileStorage, id: string, { json }: CommonOptions, stop: () => void): Promise<void> {
  for await (const event of storage.watch(id)) {
    const read = await readEvent(storage, id, event);
    print(json ? jsonOf(read) : lineOf(read, process.stdout));
    if (!isRead()) return stop();
  }
}

class Live {
  readonly #storage: FileStorage;
  readonly #id: string;
  readonly #attempts: Attempts = new Map();
  readonly #told: Told = new Map();
  #next = 0;
  #changed = true;

  constructor(storage: FileStorage, id: string) {
    this.#storage = storage;
    this.#id = id;
  }

  async follow(interrupted: Promise<'interrupted'>): Promise<'ended' | 'interrupted'> {
    const graph = (await this.#storage.peek(this.#id, (state) => state.graph.graph)) as Graph | undefined;
    let run = await this.#storage.get(this.#id);
    let explain = await this.#storage.explain(this.#id);
    let progress: Watched['progress'] = new Map();
    for await (const event of this.#storage.history(this.#id)) this.#hear(event);
    if (run.endedAt !== undefined || graph === undefined) return 'ended';
    const area = new LiveArea(
      process.stdout,
      () => drawRun({ run, graph, explain, attempts: this.#attempts, progress, now: Date.now() }, process.stdout),
      TICK_MS,
    );
    try {
      const ended = this.#hearAll();
      for (let lookedAt = performance.now(); ; ) {
        const news = await Promise.race([ended, interrupted, pause(NEWS_MS)]);
        if (news !== undefined) return news;
        if (!this.#changed && performance.now() - lookedAt < EXPLAIN_MS) continue;
        this.#changed = false;
        lookedAt = performance.now();
        run = await this.#storage.get(this.#id);
        explain = await this.#storage.explain(this.#id);
        progress = await this.#progressOf(run);
        area.redraw();
      }
    } finally {
      area.close();
    }
  }

  /** How far the steps under way say they are. */
  async #progressOf({ steps }: RunView): Promise<Watched['progress']> {
    const progress = new Map<string, string>();
    for (const { name, status } of steps) {
      const told = this.#told.get(name);
      if (status === 'RUNNING' && told !== undefined)
        progress.set(name, json(await this.#storage.load(this.#id, told)));
    }
    return progress;
  }

  async #hearAll(): Promise<'ended'> {
    for await (const event of this.#storage.watch(this.#id, { from: this.#next })) this.#hear(event);
    return 'ended';
  }

  #hear(event: HistoryEvent): void {
    evolveAttempts(this.#attempts, event);
    evolveTold(this.#told, event);
    this.#next = event.seq + 1;
    this.#changed = true;
  }
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => void setTimeout(resolve, ms, undefined));
}
