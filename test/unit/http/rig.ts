import { MemoryStorage, ProcessEngine } from 'fuseline';
import { HttpStorage } from 'fuseline/http';
import { answer } from '../../../src/edge/answer.ts';
import { shardedService } from '../../../src/edge/sharded-service.ts';
import type { AnyWorkflow } from '../../../src/http/any-workflow.ts';
import { runsApp } from '../../../src/http/app.ts';
import type { Service } from '../../../src/http/service.ts';
import { serviceOf } from '../../../src/http/service-of.ts';

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: as JSON comes to a program in any language
  readonly body: any;
}

/** A promise that somebody else keeps. */
export function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

export interface Rig {
  readonly behind: MemoryStorage;
  /** Asks the service without anything in between. */
  readonly fetch: Fetch;
  /** What any language does. Answers status and JSON. */
  post(path: string, body: object, headers?: Record<string, string>): Promise<Answered>;
  /** A storage far away; `through` stands between it and the service. */
  far(through?: (fetch: Fetch) => Fetch): HttpStorage;
}

/** A service that keeps runs and runs no step of its own, as `fuseline serve --no-work` does. */
export async function served(workflows: readonly AnyWorkflow[], body: (rig: Rig) => Promise<void>): Promise<void> {
  const behind = new MemoryStorage();
  const service = serviceOf(workflows, behind);
  const engine = new ProcessEngine(workflows, behind, { queues: [] });
  await engine.start();
  try {
    await asked(workflows, service, (asking) => body({ ...asking, behind }));
  } finally {
    await engine.stop();
    await behind.close();
  }
}

export interface ShardedRig extends Omit<Rig, 'behind'> {
  readonly shards: readonly MemoryStorage[];
  /** Stands in for what a shard answers, or throws instead. */
  readonly broken: Map<number, (verb: string) => void>;
}

/** A service over several shards, each with a storage of its own, where no step is run. */
export async function sharded(
  workflows: readonly AnyWorkflow[],
  count: number,
  body: (rig: ShardedRig) => Promise<void>,
): Promise<void> {
  const shards = Array.from({ length: count }, () => new MemoryStorage());
  const services = shards.map((storage) => serviceOf(workflows, storage));
  const broken: ShardedRig['broken'] = new Map();
  const objects = {
    getByName: (name: string) => ({
      async ask(verb: string, ...parameters: unknown[]) {
        const shard = Number(name.slice('shard-'.length));
        broken.get(shard)?.(verb);
        const ask = services[shard]?.[verb as keyof Service] as (...parameters: unknown[]) => Promise<unknown>;
        return answer(() => ask(...parameters));
      },
    }),
  };
  try {
    await asked(workflows, shardedService(objects, count), (asking) => body({ ...asking, shards, broken }));
  } finally {
    await Promise.all(shards.map((storage) => storage.close()));
  }
}

async function asked(
  workflows: readonly AnyWorkflow[],
  service: Service,
  body: (rig: Omit<Rig, 'behind'>) => Promise<void>,
): Promise<void> {
  const app = runsApp({ service: () => service, workflows });
  const storages: HttpStorage[] = [];
  const fetch: Fetch = async (url, init) => app.request(url, init);
  try {
    await body({
      fetch,
      async post(path, content, headers = {}) {
        const response = await fetch(`http://localhost${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(content),
        });
        const text = await response.text();
        return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
      },
      far(through = (one) => one) {
        const storage = new HttpStorage('http://localhost/', { fetch: through(fetch) });
        storages.push(storage);
        return storage;
      },
    });
  } finally {
    await Promise.all(storages.map((storage) => storage.close()));
  }
}
