import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { House } from './edge-house.ts';
import { type BenchOptions, clock, type Family, type Figure, type Goal, spread } from './figures.ts';

const STEPS = 1_000;
const RUNS = 10;
const WARM_UP = 20;
const CONCURRENCY = 64;
const REQUESTS = 500;
const CLIENTS = 16;
const KILLS = 5;

const IN_STEPS = { platform: 'edge', metric: 'speed', unit: 'steps/s' } as const;
const CONFIRMED: Goal = { of: 'ratio', at: 'least', limit: 0.9 };
const UNCONFIRMED: Goal = { of: 'value', at: 'least', limit: 50_000 };
const FAN: Goal = { of: 'ratio', at: 'least', limit: 20 };
const ROWS: Goal = { of: 'value', at: 'most', limit: 1.05 };
const DISPATCH: Goal = { of: 'ratio', at: 'least', limit: 0.5 };
const AGAIN: Goal = { of: 'value', at: 'most', limit: 1_000 };

export const edge: Family = {
  name: 'edge',
  about:
    'in one process of workerd; raw: one-row inserts of equal size, one after the other, in an object of the same class',
  async *measure({ rounds }: BenchOptions) {
    const outside = await Outside.open();
    const house = await House.open(CLIENTS);
    try {
      yield* loads(house, outside.url, rounds);
      yield* requests(house, rounds);
      yield await kills(house, outside);
    } finally {
      await house.close();
      outside.close();
    }
  },
};

async function* loads(house: House, outside: string, rounds: number): AsyncGenerator<Figure> {
  // What the compiler needs to know the code; and how long a row is.
  const { length } = await house.measure({ load: 'chain', steps: STEPS, runs: WARM_UP });
  await house.measure({ load: 'fan', steps: STEPS, runs: WARM_UP });
  const speeds: Record<string, number[]> = {};
  const rows: number[] = [];
  const tasks = {
    raw: { load: 'raw', length, runs: RUNS },
    rawCalling: { load: 'raw', length, outside },
    chain: { load: 'chain', runs: RUNS },
    chainCalling: { load: 'chain', outside },
    fan: { load: 'fan', concurrency: CONCURRENCY, runs: RUNS },
    fanCalling: { load: 'fan', concurrency: CONCURRENCY, outside },
  } as const;
  // Beside each other, so that a machine that is busy for a while is busy for all of them.
  for (let round = 0; round < rounds; round++) {
    for (const [name, task] of Object.entries(tasks)) {
      const { ms, rowsWritten } = await house.measure({ steps: STEPS, ...task });
      const steps = STEPS * ('runs' in task ? task.runs : 1);
      speeds[name] = [...(speeds[name] ?? []), (steps / ms) * 1000];
      if (name === 'chain') rows.push(rowsWritten / steps);
    }
  }
  const figure = (workload: string, load: keyof typeof tasks, raw: keyof typeof tasks, goal?: Goal): Figure => ({
    workload,
    ...IN_STEPS,
    ...against(speeds[load] ?? [], speeds[raw] ?? []),
    ...(goal && { goal }),
  });
  const fan = `fan of 1,000 at ${CONCURRENCY}`;
  yield figure('chain of 1,000, nothing awaited', 'chain', 'raw', UNCONFIRMED);
  yield figure('chain of 1,000, a call per step', 'chainCalling', 'rawCalling', CONFIRMED);
  yield figure(`${fan}, nothing awaited`, 'fan', 'rawCalling', FAN);
  yield figure(`${fan}, a call per step`, 'fanCalling', 'rawCalling');
  yield {
    platform: 'edge',
    workload: 'chain of 1,000',
    metric: 'rows written',
    unit: 'a step',
    ...spread(rows),
    goal: ROWS,
  };
}

/** The ratio is that of each round to the raw one beside it. */
function against(speeds: readonly number[], raw: readonly number[]) {
  const ratios = speeds.map((speed, i) => speed / (raw[i] as number));
  return { ...spread(speeds), raw: spread(raw).value, ratio: spread(ratios).value };
}

async function* requests(house: House, rounds: number): AsyncGenerator<Figure> {
  let runs = 0;
  const dispatch = (path: string) => () => house.post(path, { id: `run-${runs++}`, input: 1 });
  const tasks = {
    bare: dispatch('/bare'),
    dispatch: dispatch('/workflows/one/runs'),
    // Of what was dispatched just before.
    trip: await tripper(house),
  };
  for (const task of Object.values(tasks)) await perSecond(task);
  const speeds: { [task in keyof typeof tasks]?: number[] } = {};
  for (let round = 0; round < rounds; round++)
    for (const name of ['bare', 'dispatch', 'trip'] as const)
      speeds[name] = [...(speeds[name] ?? []), await perSecond(tasks[name])];
  const figure = (workload: string, unit: string, task: keyof typeof tasks): Figure => ({
    platform: 'edge',
    workload,
    metric: 'speed',
    unit,
    ...against(speeds[task] ?? [], speeds.bare ?? []),
  });
  yield { ...figure(`dispatch by ${CLIENTS} clients`, 'dispatches/s', 'dispatch'), goal: DISPATCH };
  yield figure(`fetch and report by ${CLIENTS} workers from afar`, 'round trips/s', 'trip');
}

async function perSecond(task: (client: number) => Promise<unknown>): Promise<number> {
  let left = REQUESTS;
  const ms = await clock(async () => {
    const client = async (_: unknown, number: number) => {
      while (left-- > 0) await task(number);
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  });
  return (REQUESTS / ms) * 1000;
}

/** Workers that only speak the routes, each with one step at a time: what takes it from a queue to its result. */
async function tripper(house: House): Promise<(worker: number) => Promise<void>> {
  const { workflows } = JSON.parse(await house.get('/workflows')) as {
    readonly workflows: readonly { readonly name: string; readonly hash: string }[];
  };
  const secret = { 'fuseline-secret': 'x'.repeat(32) };
  const served = workflows.filter(({ name }) => name === 'one').map(({ hash }) => ({ hash }));
  for (let i = 0; i < CLIENTS; i++)
    await house.post('/workers', { id: `worker-${i}`, name: 'afar', workflows: served }, secret);
  return async (worker) => {
    const path = `/workers/worker-${worker}`;
    for (;;) {
      const { claims } = JSON.parse(await house.post(`${path}/fetch`, { waitMs: 1_000 }, secret)) as {
        readonly claims: readonly { readonly id: string; readonly secret: string }[];
      };
      const [claim] = claims;
      // Another one was faster.
      if (!claim) continue;
      await house.post(`${path}/report`, {
        reports: [{ claim: claim.id, secret: claim.secret, type: 'succeeded', value: 1 }],
      });
      return;
    }
  };
}

/** From the start of the runtime after a SIGKILL to the next attempt, nothing being asked of it. */
async function kills(house: House, outside: Outside): Promise<Figure> {
  const ms: number[] = [];
  for (let i = 0; i < KILLS; i++) {
    await house.post('/workflows/held/runs', { id: `held-${i}`, input: outside.held });
    await outside.heard(1);
    await house.runtime.kill();
    await house.runtime.start();
    ms.push(await clock(() => outside.heard(2)));
  }
  return {
    platform: 'edge',
    workload: 'SIGKILL of the runtime',
    metric: 'start to next attempt',
    unit: 'ms',
    ...spread(ms),
    goal: AGAIN,
  };
}

/** Whom the steps call: an answer at once, or, under `held`, one for every attempt but the first. */
class Outside {
  readonly url: string;
  readonly #server: ReturnType<typeof createServer>;
  readonly #heard: number[] = [];
  #listener = (): void => undefined;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on('request', (request, response) => {
      const attempt = /attempt=(\d+)/.exec(request.url ?? '')?.[1];
      if (attempt !== '1') response.end('told');
      if (attempt === undefined) return;
      this.#heard.push(Number(attempt));
      this.#listener();
    });
  }

  static async open(): Promise<Outside> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Outside(server);
  }

  get held(): string {
    return `${this.url}held`;
  }

  /** Resolves when somebody tells of such an attempt; forgets whatever was told before. */
  async heard(attempt: number): Promise<void> {
    while (!this.#heard.includes(attempt)) {
      await new Promise<void>((resolve) => {
        this.#listener = resolve;
      });
    }
    this.#heard.length = 0;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
