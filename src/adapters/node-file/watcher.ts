import { type FSWatcher, watch } from 'node:fs';
import { Listeners } from '../../core/listeners.ts';
import type { Hint } from '../../core/store.ts';

/** How long a change made elsewhere may go unnoticed where the operating system does not tell of it. */
const POLL_MS = 100;
/** With more own commits than this between two polls, each of which sees what others did, events are only a burden. */
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
  #ownCommits = 0;
  #closed = false;

  constructor(directory: string, look: () => void) {
    this.#directory = directory;
    this.#look = look;
  }

  add(listener: (hint: Hint) => void): () => void {
    if (this.#closed) return () => undefined;
    const unlisten = this.#listeners.add(listener);
    if (!this.#poll) {
      this.#poll = setInterval(() => this.#tick(), POLL_MS);
      this.#poll.unref();
      this.#listen();
    }
    return () => {
      unlisten();
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  tell(hint: Hint): void {
    this.#listeners.tell(hint.keys && hint.keys.length > MAX_KEYS ? {} : hint);
  }

  countOwn(): void {
    this.#ownCommits++;
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#stop();
  }

  #tick(): void {
    if (this.#ownCommits > BUSY_COMMITS) this.#deafen();
    else if (!this.#events) this.#listen();
    this.#ownCommits = 0;
    this.#look();
  }

  #listen(): void {
    try {
      this.#events = watch(this.#directory, { persistent: false }, () => this.#lookSoon());
      this.#events.on('error', () => this.#deafen());
    } catch {
      // No directory yet, or no watches left on this machine: the poll finds what there is to find.
    }
  }

  #deafen(): void {
    this.#events?.close();
    this.#events = undefined;
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
    this.#deafen();
  }
}
