import type { Context } from '../core/context.ts';
import type { Definition, Handler } from '../core/definition.ts';
import { durationMs } from '../core/duration.ts';
import type { Host, Liveness } from '../core/host.ts';
import { type MemoryStore, ProcessEngine, RuntimeStorage } from '../index.ts';
import { MortalStore } from './dead-store.ts';
import type { LeapingClock } from './test-run-clock.ts';
import { type AnyFakes, type Call, contextWith, type FakeContext, fakeBody, sleepOn } from './test-run-fakes.ts';

export type Moment = 'before' | 'after';

/** What the workers of a test share. */
export interface Stage {
  readonly definition: Definition;
  readonly fakes: AnyFakes;
  readonly rows: MemoryStore;
  readonly clock: LeapingClock;
  readonly calls: Map<string, Call[]>;
  /** Where bodies are to be held. */
  stop: { readonly step: string; readonly moment: Moment } | undefined;
}

/** A worker of a test, which can be held at a step's body, and can die. */
export class TestWorker {
  readonly #stage: Stage;
  readonly #host: Host;
  readonly #store: MortalStore;
  readonly #engine: ProcessEngine;
  readonly #deaths = new Set<() => void>();
  readonly #held = new Set<() => void>();
  readonly #sleepers = new Set<{ readonly at: number }>();
  /** Bodies under way that nobody stands in for, by step. */
  readonly #real: string[] = [];
  #working: Promise<void> | undefined;
  /** It was told to go on while it worked: perhaps it was leaving just then. */
  #again = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(stage: Stage, name: string, find: (evidence: string) => TestWorker | undefined) {
    this.#stage = stage;
    this.#host = stage.clock.host(() => this.alive);
    this.#store = new MortalStore(stage.rows.reopen());
    const liveness: Liveness = { evidence: name, watch: (evidence, gone) => find(evidence)?.onDeath(gone) };
    const storage = new RuntimeStorage({ store: this.#store, host: this.#host, liveness });
    const { definition } = stage;
    const handlers = new Map<string, Handler>();
    for (const { spec } of definition.compiled.steps) {
      const handler = this.#handler(spec.name, definition.handlers.get(spec.name));
      if (handler) handlers.set(spec.name, handler);
    }
    this.#engine = new ProcessEngine({ ...definition, handlers }, storage, { name });
  }

  get alive(): boolean {
    return this.#store.alive;
  }

  get isHolding(): boolean {
    return this.#held.size > 0;
  }

  get realBodies(): readonly string[] {
    return this.#real;
  }

  /** The first moment somebody asleep in a body wakes at. */
  get wakesAt(): number {
    return Math.min(...[...this.#sleepers].map(({ at }) => at));
  }

  onDeath(tell: () => void): () => void {
    if (!this.alive) tell();
    else this.#deaths.add(tell);
    return () => this.#deaths.delete(tell);
  }

  /** Goes on where it was held, and works on the run until that has ended. */
  go(run: string): void {
    for (const open of this.#held) open();
    this.#held.clear();
    if (this.#working) this.#again = true;
    else this.#working = this.#work(run);
  }

  get isWorking(): boolean {
    return this.#working !== undefined;
  }

  throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }

  die(): void {
    this.#store.die();
    for (const tell of this.#deaths) tell();
  }

  async #work(run: string): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.#engine.work(run);
      } while (this.#again);
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#working = undefined;
    }
  }

  #handler(step: string, handler: Handler | undefined): Handler | undefined {
    const { fakes } = this.#stage;
    const fake = Object.hasOwn(fakes, step) ? fakes[step] : undefined;
    if (!fake && !handler) return undefined;
    const { calls, ...own } = handler ?? {};
    return {
      ...own,
      // A fake stands in for the whole run.
      ...(calls && !fake && { calls }),
      run: async (needs: unknown, context: Context) => {
        await this.#hold(step, 'before');
        const calls = this.#stage.calls.get(step) ?? [];
        this.#stage.calls.set(step, [...calls, { attempt: context.attempt, needs }]);
        try {
          return fake
            ? await fakeBody(fake, calls.length)(needs, this.#contextWith(context))
            : await this.#runReal(step, () => handler?.run(needs as never, context));
        } finally {
          await this.#hold(step, 'after');
        }
      },
    };
  }

  async #hold(step: string, moment: Moment): Promise<void> {
    const { stop } = this.#stage;
    if (stop?.step === step && stop.moment === moment)
      await new Promise<void>((resolve) => void this.#held.add(resolve));
  }

  async #runReal<T>(step: string, body: () => T): Promise<Awaited<T>> {
    this.#real.push(step);
    try {
      return await body();
    } finally {
      this.#real.splice(this.#real.indexOf(step), 1);
    }
  }

  #contextWith(context: Context): FakeContext {
    return contextWith(context, { sleep: (duration) => this.#sleep(durationMs(duration), context) });
  }

  async #sleep(ms: number, { signal }: Context): Promise<void> {
    const sleeper = { at: this.#host.now() + ms };
    this.#sleepers.add(sleeper);
    try {
      await sleepOn(this.#host, ms, signal);
    } finally {
      this.#sleepers.delete(sleeper);
    }
  }
}
