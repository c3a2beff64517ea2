import type { Context } from '../../core/context.ts';
import type { Definition, Handler } from '../../core/definition.ts';
import { durationMs } from '../../core/duration.ts';
import { type AnyFakes, contextWith, type FakeContext, fakeBody, sleepOn } from '../test-run-fakes.ts';
import type { Process } from './process.ts';
import { WorkflowUnfit } from './unfit.ts';

/** A body under way, and how many of its waits are for virtual time. */
interface Doing {
  readonly workflow: string;
  readonly step: string;
  waits: number;
}

/** The bodies of one's own workflows in a world: fakes stand in for some, and none may wait but in virtual time. */
export class OwnBodies {
  /** Of each step of each run, so that a list of fakes goes on through crashes. */
  readonly #calls = new Map<string, number>();
  readonly #doing = new Set<Doing>();

  /** The definition as one process has it. */
  of({ name, compiled, handlers }: Definition, fakes: AnyFakes, process: Process): Definition {
    const own = compiled.steps.flatMap(({ spec }): [string, Handler][] => {
      const fake = Object.hasOwn(fakes, spec.name) ? fakes[spec.name] : undefined;
      const handler = handlers.get(spec.name);
      if (!fake && !handler) return [];
      const { fallback, calls, ...rest } = handler ?? {};
      const run = (needs: never, context: FakeContext): unknown =>
        fake ? fakeBody(fake, this.#call(context))(needs, context) : handler?.run(needs, context);
      const on = <T>(context: Context, body: (context: FakeContext) => T): Promise<Awaited<T>> =>
        this.#do({ workflow: name, step: spec.name, waits: 0 }, (doing) =>
          body(this.#noticed(context, doing, process)),
        );
      return [
        [
          spec.name,
          {
            ...rest,
            // A fake stands in for the whole run.
            ...(calls && !fake && { calls }),
            run: (needs: never, context: Context) => on(context, (noticed) => run(needs, noticed)),
            ...(fallback && { fallback: (error, context) => on(context, (noticed) => fallback(error, noticed)) }),
          },
        ],
      ];
    });
    return { name, compiled, handlers: new Map(own) };
  }

  /** Once all has happened that waits for nothing: who waits now and not in virtual time would wait for good. */
  demandVirtualTime(): void {
    for (const { workflow, step, waits } of this.#doing) {
      if (waits > 0) continue;
      throw new WorkflowUnfit(
        'waits for the real world',
        workflow,
        step,
        `the body of step ${JSON.stringify(step)} of workflow ${JSON.stringify(workflow)} waits for the real world (a timer, the network, a file), and virtual time would pass without it; give a fake for it: export const inWorlds = simulated(workflow, { steps: { ${JSON.stringify(step)}: () => result } }), with simulated from 'fuseline/testing'; a fake waits with sleep(duration) of its context`,
      );
    }
  }

  #call({ runId, step }: Context): number {
    const key = JSON.stringify([runId, step]);
    const call = this.#calls.get(key) ?? 0;
    this.#calls.set(key, call + 1);
    return call;
  }

  async #do<T>(doing: Doing, work: (doing: Doing) => T): Promise<Awaited<T>> {
    this.#doing.add(doing);
    try {
      return await work(doing);
    } finally {
      this.#doing.delete(doing);
    }
  }

  /** What the context offers to wait for takes virtual time. */
  #noticed(context: Context, doing: Doing, process: Process): FakeContext {
    const counting = async <T>(by: 1 | -1, work: () => T | Promise<T>): Promise<T> => {
      doing.waits += by;
      try {
        return await work();
      } finally {
        doing.waits -= by;
      }
    };
    return contextWith(context, {
      sleep: (duration) => counting(1, () => sleepOn(process, durationMs(duration), context.signal)),
      once: (key, fn) => counting(1, () => context.once(key, () => counting(-1, fn))),
    });
  }
}
