import { Effect, Layer, ManagedRuntime, Schema } from 'effect';
import { Activity, Workflow, WorkflowEngine } from 'effect/workflow';
import type { Engine } from '../engine.ts';
import { FAN_CONCURRENCY, one, type Result, sum, ZERO } from '../tasks.ts';

const RESULT = Schema.Struct({ value: Schema.Number });

const work = Workflow.make('work', {
  payload: { id: Schema.String, kind: Schema.Literals(['chain', 'fan', 'short', 'held']), size: Schema.Number },
  success: Schema.Number,
  idempotencyKey: ({ id }) => id,
});

const activity = (name: string, body: () => Result) =>
  Activity.make({ name, success: RESULT, execute: Effect.sync(body) });

const steps = work.toLayer(
  Effect.fn(function* ({ kind, size }) {
    if (kind === 'fan') {
      const all = Array.from({ length: size }, (_, i) => activity(`s${i}`, () => one({ value: i })));
      return sum(yield* Effect.all(all, { concurrency: FAN_CONCURRENCY }));
    }
    let last: Result = ZERO;
    for (let i = 0; i < size; i++) {
      const before = last;
      last = yield* activity(`s${i}`, () => one(before));
    }
    return last.value;
  }),
);

export const effect: Engine = {
  name: 'Effect Workflow',
  package: 'effect',
  storage: 'WorkflowEngine.layerMemory, in memory',
  keeps: 'in memory',
  takeover: 'nobody',
  async open() {
    const runtime = ManagedRuntime.make(steps.pipe(Layer.provideMerge(WorkflowEngine.layerMemory)));
    return {
      run: (tasks) =>
        runtime.runPromise(
          Effect.all(
            tasks.map(({ kind, size }) => work.execute({ id: crypto.randomUUID(), kind, size })),
            { concurrency: 'unbounded' },
          ),
        ),
      async start() {},
      work: async () => {},
      close: () => runtime.dispose(),
    };
  },
};
