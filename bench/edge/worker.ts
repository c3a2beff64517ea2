import { ProcessEngine, type Step, typed, type Workflow, workflow } from 'fuseline';
import { bearer, DurableObjectStorage, DurableObjectStore, durableWorkflows } from 'fuseline/durable-object';

/** What an object is asked to do, and to be timed at by whoever asks. */
export interface Task {
  readonly load: 'chain' | 'fan' | 'raw';
  readonly steps: number;
  /** Runs one after the other, so that the request that asks for them does not count; 1 unless told. */
  readonly runs?: number;
  /** What each step calls outside of the object; nothing unless told. */
  readonly outside?: string;
  readonly concurrency?: number;
  /** Characters of a row of the raw loop. */
  readonly length?: number;
}

export interface Done {
  readonly rowsWritten: number;
  readonly rowsRead: number;
  /** Characters of an entry of the journal, on the average. */
  readonly length: number;
}

type Body = (x: number) => number | Promise<number>;
const RAW = 'CREATE TABLE IF NOT EXISTS raw (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID';
const INSERT = 'INSERT INTO raw (key, value) VALUES (?, ?)';

/** What the runs of an object cost, beside what its storage counts itself. */
export interface Spent {
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly alarmsSet: number;
  readonly alarmsRung: number;
}

/** Chains that are dispatched from outside, by their length. */
const LENGTHS = [1, 10, 100] as const;

const edge = durableWorkflows({
  workflows: [
    ...LENGTHS.map((length) => chain(length, (x) => x + 1, `chain-${length}`)),
    // Nobody here works on it, so that it is the dispatch, or a worker from afar, alone that is measured.
    workflow('one', { input: typed<number>() }, ($) =>
      $.step('one', { x: $.input }, ({ x }) => x, { queue: 'elsewhere' }),
    ),
    workflow('held', { input: typed<string>() }, ($) =>
      $.step('held', { url: $.input }, async ({ url }, { attempt }) =>
        (await fetch(`${url}?attempt=${attempt}`)).text(),
      ),
    ),
  ],
  binding: 'RUNS',
  queues: ['default'],
  // There is one token, which may do everything.
  auth: bearer({ admin: 'CLIENT_TOKEN' }),
});

export class Runs extends edge.Runs {
  readonly #alarms: { set: number; rung: number };

  constructor(ctx: DurableObjectState, env: unknown) {
    const alarms = { set: 0, rung: 0 };
    const { storage } = ctx;
    const setAlarm = storage.setAlarm.bind(storage);
    Object.defineProperty(storage, 'setAlarm', {
      value: (at: number) => {
        alarms.set++;
        return setAlarm(at);
      },
    });
    super(ctx, env);
    this.#alarms = alarms;
  }

  override async alarm(): Promise<void> {
    this.#alarms.rung++;
    await super.alarm();
  }

  spent(): Spent {
    const { rowsRead, rowsWritten } = this.stats();
    return { rowsRead, rowsWritten, alarmsSet: this.#alarms.set, alarmsRung: this.#alarms.rung };
  }

  async measure({ load, steps, runs = 1, outside, concurrency = 64, length = 0 }: Task): Promise<Done> {
    if (load === 'raw') return this.#raw(runs * steps, bodyOf(outside), length);
    const storage = new DurableObjectStorage(this.ctx);
    const definition = definitionOf(load, steps, outside);
    for (let i = 0; i < runs; i++) {
      const run = await definition.dispatch(0, { storage });
      await new ProcessEngine(definition, storage, { concurrency }).work(run.id);
      await run.result();
    }
    const { rowsRead, rowsWritten } = storage.stats();
    const entries = await new DurableObjectStore(this.ctx.storage).scan({ from: 'entry/', to: 'entry0', limit: steps });
    const characters = entries.reduce((sum, { value }) => sum + value.length, 0);
    await storage.close();
    return { rowsRead, rowsWritten, length: Math.round(characters / entries.length) };
  }

  insert(key: string, value: string): void {
    const { sql } = this.ctx.storage;
    sql.exec(RAW);
    sql.exec(INSERT, key, value);
  }

  async #raw(rows: number, body: Body, length: number): Promise<Done> {
    const { sql } = this.ctx.storage;
    sql.exec(RAW);
    const value = 'x'.repeat(length);
    for (let i = 0; i < rows; i++) {
      sql.exec(INSERT, `row/${String(i).padStart(9, '0')}`, value);
      await body(i);
    }
    return { rowsWritten: rows, rowsRead: 0, length };
  }
}

function bodyOf(outside: string | undefined): Body {
  return outside === undefined ? (x) => x + 1 : (x) => fetch(outside).then(() => x + 1);
}

const definitions = new Map<string, Workflow<number, number>>();

/** Made once, as in a Worker that is deployed. */
function definitionOf(load: 'chain' | 'fan', steps: number, outside: string | undefined): Workflow<number, number> {
  const key = `${load} ${steps} ${outside}`;
  const definition = definitions.get(key) ?? (load === 'chain' ? chain : fan)(steps, bodyOf(outside));
  definitions.set(key, definition);
  return definition;
}

function chain(steps: number, body: Body, name = 'chain'): Workflow<number, number> {
  return workflow(name, { input: typed<number>() }, ($) => {
    let last: Step<number> = $.step('s0', { x: $.input }, ({ x }) => body(x));
    for (let i = 1; i < steps; i++) last = $.step(`s${i}`, { x: last }, ({ x }) => body(x));
    return last;
  });
}

function fan(steps: number, body: Body): Workflow<number, number> {
  return workflow('fan', { input: typed<number>() }, ($) => {
    const middle = Array.from(
      { length: steps },
      (_, i) => [`m${i}`, $.step(`m${i}`, { x: $.input }, ({ x }) => body(x))] as const,
    );
    return $.step('last', Object.fromEntries(middle), (all) => Object.values(all).length);
  });
}

interface Env {
  readonly RUNS: DurableObjectNamespace<Runs>;
}

/** The object of a name, asked from outside; every name has rows of its own. */
edge.app.post('/measure/:name', async (context) => {
  const { RUNS } = context.env as Env;
  return context.json(await RUNS.getByName(context.req.param('name')).measure(await context.req.json<Task>()));
});

edge.app.post('/spent', async (context) => context.json(await (context.env as Env).RUNS.getByName('shard-0').spent()));

/** What a dispatch is held against: one hop, one insert. */
edge.app.post('/bare', async (context) => {
  const { RUNS } = context.env as Env;
  const { id, input } = await context.req.json<{ id: string; input: number }>();
  await RUNS.getByName('bare').insert(id, JSON.stringify(input));
  return context.json({ id }, 202);
});

export default edge.app;
