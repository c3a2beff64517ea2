/**
 * `npm run edge:costs`: what runs at the edge write, read, ask and take, measured in the runtime they are deployed to, and
 * what that comes to at the prices it is given:
 *
 *     npm run edge:costs -- --requests P --written P --read P --duration P [--shards N]
 *
 * The first three are prices of a million; the fourth is that of a million GB-s.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { House } from '../bench/edge-house.ts';

const LENGTHS = [1, 10, 100] as const;
const RUNS = 50;
/** What the platform reckons an object's memory to be. */
const GB = 0.128;
/** Until an object that is done has put its alarm away. */
const REST_MS = 100;

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string' },
    written: { type: 'string' },
    read: { type: 'string' },
    duration: { type: 'string' },
    shards: { type: 'string', default: '1' },
    /** What an object takes: the platform's own figure, or what was seen. */
    'requests-per-second': { type: 'string', default: '500' },
  },
});

interface Spent {
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly alarmsSet: number;
  readonly alarmsRung: number;
}

/** Of one run. */
interface Measured {
  readonly steps: number;
  readonly requests: number;
  readonly written: number;
  readonly read: number;
  readonly seconds: number;
}

const shards = numberOf('shards');
const perSecond = numberOf('requests-per-second');
const house = await House.open(1);
try {
  console.log('of one run, dispatched by one request and asked for its result by another one:\n');
  print(['steps', 'requests', 'rows written', 'rows read', 'ms', 'a million steps', `steps/s of ${shards} shards`]);
  for (const steps of LENGTHS) {
    const measured = await measure(steps);
    const { requests, written, read, seconds } = measured;
    const speed = shards * steps * Math.min(1 / seconds, perSecond / requests);
    print([
      String(steps),
      requests.toFixed(1),
      written.toFixed(1),
      read.toFixed(1),
      (seconds * 1000).toFixed(1),
      cost(measured)?.toFixed(4) ?? 'give all prices',
      speed.toFixed(0),
    ]);
  }
  console.log(`
rows written: alarms that are set are among them, as they are billed; ms: how long the object is at it, with steps that
wait for nothing. To that comes what its steps wait for, during which it does other things, too.`);
} finally {
  await house.close();
}

async function measure(steps: number): Promise<Measured> {
  const run = async (id: string) => {
    await house.post(`/workflows/chain-${steps}/runs`, { id, input: 1 });
    await house.result(id);
  };
  await run(`warm-${steps}`);
  await sleep(REST_MS);
  const before = await spent();
  const since = performance.now();
  for (let i = 0; i < RUNS; i++) await run(`run-${steps}-${i}`);
  const seconds = (performance.now() - since) / 1000;
  await sleep(REST_MS);
  const after = await spent();
  const each = (what: keyof Spent) => (after[what] - before[what]) / RUNS;
  return {
    steps,
    // To the Worker and on to the object, both times; and the alarms that rang.
    requests: 2 + 2 + each('alarmsRung'),
    written: each('rowsWritten') + each('alarmsSet'),
    read: each('rowsRead'),
    seconds: seconds / RUNS,
  };
}

async function spent(): Promise<Spent> {
  return JSON.parse(await house.post('/spent', {})) as Spent;
}

/** Of a million steps; `undefined` without prices. */
function cost({ steps, requests, written, read, seconds }: Measured): number | undefined {
  const { requests: asked, written: wrote, read: saw, duration } = options;
  if (asked === undefined || wrote === undefined || saw === undefined || duration === undefined) return undefined;
  const run =
    requests * numberOf('requests') +
    written * numberOf('written') +
    read * numberOf('read') +
    seconds * GB * numberOf('duration');
  // Prices are of a million, and so are the steps.
  return run / steps;
}

function numberOf(name: keyof typeof options): number {
  const number = Number(options[name]);
  if (number >= 0) return number;
  throw new TypeError(`--${name} is ${options[name]}; it must be a number`);
}

function print(cells: readonly string[]): void {
  console.log(cells.map((cell, i) => cell.padEnd(i === 0 ? 6 : 16)).join(' '));
}
