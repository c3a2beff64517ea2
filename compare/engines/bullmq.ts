import { basename } from 'node:path';
import { FlowProducer, type Job, Queue, QueueEvents, Worker } from 'bullmq';
import type { Engine, Room, ServiceName, Session } from '../engine.ts';
import { FAN_CONCURRENCY, one, type Result, sum, type Task, ZERO } from '../tasks.ts';

/** Its way to have steps in a job: the data says where the job stands, and is written after each step. */
interface Stand extends Task {
  readonly done: number;
  readonly last: Result;
}

const NOTE =
  'steps one after the other are one job that writes its data after each (its pattern of process steps, which keeps only the last result); steps side by side are a flow of one job each.';

export const bullmq = engine(
  'BullMQ, Redis everysec',
  'redis everysec',
  `${NOTE} Its documentation recommends \`appendfsync everysec\`.`,
);
export const bullmqAlways = engine('BullMQ, Redis always', 'redis always', undefined);

function engine(name: string, service: ServiceName, note: string | undefined): Engine {
  return {
    name,
    package: 'bullmq',
    storage: `Redis, appendonly, appendfsync ${service.split(' ')[1]}`,
    service,
    needs: ['redis-server'],
    keeps: 'on disk',
    takeover: 'another worker',
    ...(note !== undefined && { note }),
    open,
  };
}

async function open({ directory, url, held }: Room): Promise<Session> {
  const queueName = basename(directory);
  const { hostname: host, port } = new URL(url);
  const connection = { host, port: Number(port), maxRetriesPerRequest: null };
  const queue = new Queue<Stand>(queueName, { connection });
  const flows = new FlowProducer({ connection });
  const events = new QueueEvents(queueName, { connection });
  const worker = new Worker<Stand>(queueName, process, { connection, concurrency: FAN_CONCURRENCY, autorun: false });
  const working = () => void (worker.isRunning() || worker.run());
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
  return {
    async run(tasks) {
      working();
      const jobs = await create(tasks);
      return (await Promise.all(jobs.map((job) => job.waitUntilFinished(events)))) as number[];
    },
    async start(task) {
      await create([task]);
    },
    work: async () => working(),
    async close() {
      await Promise.all([worker.close(), events.close(), flows.close(), queue.close()]);
    },
  };

  async function create(tasks: readonly Task[]): Promise<readonly Job[]> {
    const fans = tasks.filter(({ kind }) => kind === 'fan');
    const others = tasks.filter(({ kind }) => kind !== 'fan');
    const trees = fans.map(({ size }) =>
      flows.add({
        name: 'sum',
        queueName,
        children: Array.from({ length: size }, (_, i) => ({ name: 'one', queueName, data: { last: { value: i } } })),
      }),
    );
    const plain = queue.addBulk(others.map((task) => ({ name: 'steps', data: { ...task, done: 0, last: ZERO } })));
    const created = { fan: (await Promise.all(trees)).map(({ job }) => job), other: await plain };
    // In the order of the tasks.
    return tasks.map(({ kind }) => (kind === 'fan' ? created.fan.shift() : created.other.shift()) as Job);
  }

  async function process(job: Job<Stand>): Promise<unknown> {
    if (job.name === 'one') return one(job.data.last);
    if (job.name === 'sum') return sum(Object.values(await job.getChildrenValues<Result>()));
    if (job.data.kind === 'held') return (await held()).value;
    let { done, last } = job.data;
    while (done < job.data.size) {
      last = one(last);
      done++;
      await job.updateData({ ...job.data, done, last });
    }
    return last.value;
  }
}
