import { MemoryStorage, ProcessEngine } from 'fuseline';
import { HttpStorage } from 'fuseline/http';
import { runsApp } from '../../../src/http/app.ts';
import { type AnyWorkflow, serviceOf } from '../../../src/http/service-of.ts';

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
  const app = runsApp({ service: () => service, workflows });
  const engine = new ProcessEngine(workflows, behind, { queues: [] });
  const storages: HttpStorage[] = [];
  const fetch: Fetch = async (url, init) => app.request(url, init);
  await engine.start();
  try {
    await body({
      behind,
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
    await engine.stop();
    await behind.close();
  }
}
