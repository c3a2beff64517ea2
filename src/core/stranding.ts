import { FuselineError } from './errors.ts';
import type { Stranded } from './explain.ts';
import type { RuntimeStorage } from './storage.ts';

/** Points out the ready steps that no live worker can handle. */
export class Stranding {
  readonly #storage: RuntimeStorage;
  readonly #tell: (stranded: Stranded) => void;
  /** What was told at the last look. */
  #told: ReadonlySet<string> = new Set();

  constructor(storage: RuntimeStorage, tell: (stranded: Stranded) => void) {
    this.#storage = storage;
    this.#tell = tell;
  }

  /** Those of some runs, each told and answered. */
  async tellAll(runs: Iterable<string>): Promise<readonly Stranded[]> {
    const found = await this.#in(runs);
    for (const stranded of found) this.#tell(stranded);
    return found;
  }

  /** Tells each once, for as long as it is stranded. */
  async tellNew(runs: Iterable<string>): Promise<void> {
    const found = new Map<string, Stranded>();
    for (const one of await this.#in(runs)) found.set(`${one.run}/${one.step}`, one);
    for (const [key, stranded] of found) if (!this.#told.has(key)) this.#tell(stranded);
    this.#told = new Set(found.keys());
  }

  async #in(runs: Iterable<string>): Promise<readonly Stranded[]> {
    const found: Stranded[] = [];
    for (const run of runs) {
      try {
        found.push(...(await this.#storage.stranded(run)));
      } catch (error) {
        // Removed meanwhile, or not this version's to judge.
        if (!isLeftAlone(error)) throw error;
      }
    }
    return found;
  }
}

function isLeftAlone(error: unknown): boolean {
  return error instanceof FuselineError && (error.code === 'UNKNOWN_RUN' || error.code === 'PROTOCOL_TOO_NEW');
}
