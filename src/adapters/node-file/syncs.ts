import { failed } from './failure.ts';
import type { Files } from './files.ts';
import type { LogFile } from './log-file.ts';
import type { LogStats } from './log-stats.ts';
import { SyncPace } from './sync-pace.ts';

/** Brings a log to the disk, and knows how far it is there. */
export class Syncs {
  /** Up to which position this process knows the log to be on disk. */
  durable = 0;
  /** Up to where the sync under way reaches at least, or the next one. */
  covered = 0;
  readonly #files: Files;
  readonly #stats: LogStats;
  readonly #pace = new SyncPace();
  /** Sealed segments this process has not synced since it read them, and whether their rows are still read there. */
  readonly #sealed = new Map<LogFile, 'in use' | 'left'>();

  constructor(files: Files, stats: LogStats) {
    this.#files = files;
    this.#stats = stats;
  }

  /** Whether the next sync is waited for in place. */
  get inPlace(): boolean {
    return this.#files.datasyncNow !== undefined && this.#pace.isQuick;
  }

  /** What is in the next segment rests on what is in this one. */
  sealed(segment: LogFile): void {
    this.#sealed.set(segment, 'in use');
  }

  /** Closes a file that nothing is read from any more, once it is synced if it has to be. */
  leave(file: LogFile): void {
    const waits = this.#sealed.has(file) && this.durable < Number.POSITIVE_INFINITY;
    if (waits) this.#sealed.set(file, 'left');
    else {
      this.#sealed.delete(file);
      file.close();
    }
  }

  /**
   * Calls back when everything up to `position`, where `current` ends, is on disk: before it returns, if it syncs in
   * place. One at a time. A failure is final: nobody can know what was lost.
   */
  sync(current: LogFile, position: number, done: (error: unknown) => void): void {
    this.covered = position;
    const sealed = [...this.#sealed.keys()];
    const next = (): void => {
      const file = sealed.shift() ?? current;
      this.#stats.syncs++;
      const synced = (error: unknown): void => {
        if (error) return done(failed(`cannot sync ${file.path}`, error));
        if (file !== current) {
          if (this.#sealed.get(file) === 'left') file.close();
          this.#sealed.delete(file);
          return next();
        }
        this.durable = Math.max(this.durable, this.covered);
        done(undefined);
      };
      if (this.inPlace) synced(this.#now(file));
      else {
        this.#pace.passed();
        this.#files.datasync(file.descriptor, synced);
      }
    };
    next();
  }

  close(): void {
    for (const file of this.#sealed.keys()) file.close();
  }

  /** Answers what went wrong. */
  #now(file: LogFile): unknown {
    const start = performance.now();
    try {
      this.#files.datasyncNow?.(file.descriptor);
    } catch (error) {
      return error;
    }
    this.#pace.took(performance.now() - start);
    return undefined;
  }
}
