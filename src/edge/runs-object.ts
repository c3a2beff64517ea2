import { DurableObject } from 'cloudflare:workers';
import { DurableObjectStorage } from '../adapters/durable-object/durable-object-storage.ts';
import { DurableObjectStore, type DurableObjectStoreStats } from '../adapters/durable-object/durable-object-store.ts';
import { parseTimer } from '../core/keys.ts';
import { ProcessEngine } from '../core/process-engine.ts';
import type { Keep } from '../core/retention.ts';
import type { AnyWorkflow } from '../http/any-workflow.ts';
import type { Service } from '../http/service.ts';
import { serviceOf } from '../http/service-of.ts';
import { type Answer, answer } from './answer.ts';
import { FarWorkers } from './far-workers.ts';
import { Pump } from './pump.ts';
import { type RunIndex, runIndex } from './run-index.ts';

export interface ObjectOptions {
  readonly workflows: readonly AnyWorkflow[];
  /** Attempts at once in one object; 64 unless told. */
  readonly concurrency?: number;
  /** The queues whose steps run inside the objects; all that the workflows name unless told. */
  readonly queues?: readonly string[];
  /** How long, or how many, finished runs each object keeps; all of them unless told. */
  readonly keep?: Keep;
}

/** One shard: its runs, their queue and their history, and a worker that lives inside of it. */
export abstract class RunsObject extends DurableObject {
  readonly #storage: DurableObjectStorage;
  readonly #service: Service & RunIndex;
  readonly #far: FarWorkers;
  readonly #pump: Pump;

  constructor(ctx: DurableObjectState, env: unknown, { workflows, keep, ...engineOptions }: ObjectOptions) {
    super(ctx, env as Cloudflare.Env);
    this.#storage = new DurableObjectStorage(ctx, { ...(keep && { keep }), wrote: () => this.#pump.wrote() });
    this.#service = {
      ...serviceOf(workflows, this.#storage),
      ...runIndex(new DurableObjectStore(ctx.storage), this.#storage.host),
    };
    this.#far = new FarWorkers(this.#storage);
    const engine = new ProcessEngine(workflows, this.#storage, {
      name: 'object',
      stranded: 'ignored',
      ...engineOptions,
    });
    engine.on('error', ({ error }) => report(error));
    this.#pump = new Pump({
      alarm: ctx.storage,
      work: async () => {
        await this.#far.giveUpSilent();
        await engine.work();
      },
      nextDue: () => this.#nextDue(),
      host: this.#storage.host,
      failed: report,
    });
    void ctx.blockConcurrencyWhile(() => this.#pump.wakeUp());
  }

  /** For the Worker in front of it, which has seen to it that the caller may. */
  async ask(verb: string, ...parameters: unknown[]): Promise<Answer<unknown>> {
    await this.#pump.look();
    const ask = this.#service[verb as keyof (Service & RunIndex)] as (...parameters: unknown[]) => Promise<unknown>;
    return answer(() => ask(...parameters));
  }

  override async alarm(): Promise<void> {
    await this.#pump.rang();
  }

  /** What this object read and wrote since it was made. */
  stats(): DurableObjectStoreStats {
    return this.#storage.stats();
  }

  async #nextDue(): Promise<number | undefined> {
    const [first] = await this.#storage.timerRows(1);
    const silence = await this.#far.nextSilence();
    const due = [
      ...(first === undefined ? [] : [parseTimer(first).dueAt]),
      ...(silence === undefined ? [] : [silence]),
    ];
    return due.length === 0 ? undefined : Math.min(...due);
  }
}

/** Into the Worker's log. */
function report(error: unknown): void {
  console.error(error);
}
