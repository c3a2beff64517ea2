import type { Result, Task } from './tasks.ts';

/** What is compared. */
export interface Engine {
  readonly name: string;
  /** The npm package whose version is told; ours is the package around this folder. */
  readonly package?: string;
  /** The package is installed around this folder, and brings the engine among other things. */
  readonly brought?: true;
  readonly storage: string;
  readonly service?: ServiceName;
  /** Commands without which it cannot run here. */
  readonly needs?: readonly string[];
  /** Why it cannot run here although it is installed, if that is so. */
  unfit?(): Promise<string | undefined>;
  /** Whether a killed process loses what it had recorded. */
  readonly keeps: 'on disk' | 'in memory';
  /** Who goes on after a kill by the engine's own doing: another worker that is already there, a process started again, or nobody. */
  readonly takeover: 'another worker' | 'a restart' | 'nobody';
  /** What a reader must know to judge the figures. */
  readonly note?: string;
  open(room: Room): Promise<Session>;
}

export type ServiceName = 'postgres' | 'redis everysec' | 'redis always' | 'wrangler';

/** Where an engine works. */
export interface Room {
  /** On the same disk for all. */
  readonly directory: string;
  /** Of its service, or empty. */
  readonly url: string;
  /** The body of the step in whose middle a process is killed: it says that it began and does not end. */
  held(): Promise<Result>;
}

export interface Session {
  /** Runs all to their end. */
  run(tasks: readonly Task[]): Promise<readonly number[]>;
  /** After each round, off the clock: a worker that polls is made to look at once again. */
  rest?(): Promise<void>;
  /** Creates a run and does not wait for it. */
  start(task: Task): Promise<void>;
  /** Works off whatever is there or comes, as a worker of this engine does. */
  work(): Promise<void>;
  close(): Promise<void>;
}

/** For engines whose own way to wait for a result looks at a clock: the workflow tells when it has its last result. */
export class Endings {
  readonly #waiting = new Map<string, (value: number) => void>();

  /** To be called before the run is created. */
  of(key: string): Promise<number> {
    return new Promise((resolve) => this.#waiting.set(key, resolve));
  }

  tell(key: string, value: number): void {
    this.#waiting.get(key)?.(value);
    this.#waiting.delete(key);
  }
}
