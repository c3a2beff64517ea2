import { type FSWatcher, watch } from 'node:fs';
import { Listeners } from '../../core/listeners.ts';
import type { Hint } from '../../core/store.ts';

/**
 * How long a change made elsewhere may go unnoticed where the operating system does not tell of it. Where it tells of
 * every write to a file that stays open, as inotify(7) says of Linux, only a lost event is looked for: to wake up is
 * most of what a worker costs that has nothing to do.
 */
const POLL_MS = { deaf: 100, listening: process.platform === 'linux' ? 1000 : 100 } as const;
/** With more own commits than this in `POLL_MS.deaf`, each of which sees what others did, events are only a burden. */
const BUSY_COMMITS = 20;
const MAX_KEYS = 1000;

/**
 * Learns of commits made by other processes: by the operating system's events within a millisecond, by a look at the
 * file now and then where those fail or are too many. Holds nothing open, and keeps no process alive, unless somebody
 * listens.
 */
export class Watcher {
  readonly #listeners = new Listeners<Hint>();
  readonly #directory: string;
  readonly #look: () => void;
  #poll: NodeJS.Timeout | undefined;
  #events: FSWatcher | undefined;
  #lookScheduled = false;
  /** Own commits since then. */
  #ownCommits = 0;
  #countedSince = 0;
  #closed = false;

  constructor(directory: string, look: () => void) {
    this.#directory = directory;
    this.#look = look;
  }

  add(listener: (hint: Hint) => void): () => void {
    if (this.#closed) return () => undefined;
    const unlisten = this.#listeners.add(listener);
    if (!this.#poll) this.#listen();
    return () => {
      unlisten();
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  tell(hint: Hint): void {
    this.#listeners.tell(hint.keys && hint.keys.length > MAX_KEYS ? {} : hint);
  }

  countOwn(): void {
    if (++this.#ownCommits > BUSY_COMMITS && this.#events && !this.#startCounting()) this.#deafen();
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#stop();
  }

  /** Answers whether the last count is too old to say that this process is busy. */
  #startCounting(): boolean {
    const now = performance.now();
    const isOld = now - this.#countedSince >= POLL_MS.deaf;
    this.#ownCommits = 0;
    this.#countedSince = now;
    return isOld;
  }

  #tick(): void {
    const isBusy = this.#ownCommits > BUSY_COMMITS;
    this.#startCounting();
    if (!this.#events && !isBusy) this.#listen();
    this.#look();
  }

  #listen(): void {
    try {
      const events = watch(this.#directory, { persistent: false }, () => this.#lookSoon());
      events.on('error', () => this.#events === events && this.#deafen());
      this.#events = events;
    } catch {
      // No directory yet, or no watches left on this machine: the poll finds what there is to find.
    }
    this.#pollEvery(POLL_MS[this.#events ? 'listening' : 'deaf']);
  }

  #deafen(): void {
    this.#events?.close();
    this.#events = undefined;
    this.#pollEvery(POLL_MS.deaf);
  }

  #pollEvery(ms: number): void {
    clearInterval(this.#poll);
    this.#poll = setInterval(() => this.#tick(), ms);
    this.#poll.unref();
  }

  #lookSoon(): void {
    if (this.#lookScheduled) return;
    this.#lookScheduled = true;
    setImmediate(() => {
      this.#lookScheduled = false;
      this.#look();
    }).unref();
  }

  #stop(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
    this.#events?.close();
    this.#events = undefined;
  }
}
