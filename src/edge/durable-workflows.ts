import type { Hono } from 'hono';
import { runsApp } from '../http/app.ts';
import type { Auth } from '../http/auth.ts';
import type { LinkOptions } from '../http/links.ts';
import type { Objects } from './objects.ts';
import { type ObjectOptions, RunsObject } from './runs-object.ts';
import { servicePerRun } from './service-per-run.ts';
import { shardedService } from './sharded-service.ts';
import { MOST_SHARDS } from './shards.ts';

export interface EdgeOptions extends ObjectOptions {
  /** What the Durable Object is bound as in `wrangler.toml`. */
  readonly binding: string;
  /**
   * Over how many objects the runs are spread; 1 unless told. It may grow: what there is stays where it is. `per-run`:
   * every run has an object of its own, and no worker from afar.
   */
  readonly shards?: number | 'per-run';
  /** Who may do what. Without one, the app answers on localhost only. */
  readonly auth?: Auth;
  /** Links made by `signalLink` are served, signed with the secret of this name: `{ secret: 'LINK_SECRET' }`. */
  readonly links?: LinkOptions;
  /** Origins of pages that may ask, such as `https://example.com`; none unless told. */
  readonly cors?: readonly string[];
  /** Bytes of a request's body; 1 MiB unless told. */
  readonly bodyBytes?: number;
}

export interface Edge {
  /** The class of the objects: `export class Runs extends edge.Runs {}`, and named so in `wrangler.toml`. */
  readonly Runs: new (
    ctx: DurableObjectState,
    env: unknown,
  ) => RunsObject;
  /** The Worker in front of them: `export default edge.app`, or mounted in an app of your own. */
  readonly app: Hono;
}

/** Workflows that are run and kept by Durable Objects, and reached over HTTP. */
export function durableWorkflows({ binding, shards = 1, auth, links, cors, bodyBytes, ...options }: EdgeOptions): Edge {
  if (shards !== 'per-run' && !(Number.isInteger(shards) && shards >= 1 && shards <= MOST_SHARDS)) {
    throw new TypeError(`shards is ${shards}; it must be a whole number from 1 to ${MOST_SHARDS}, or 'per-run'`);
  }
  const app = runsApp({
    service(env, namespace) {
      const objects = objectsOf(objectsIn(env, binding), namespace);
      return shards === 'per-run' ? servicePerRun(objects) : shardedService(objects, shards);
    },
    workflows: options.workflows,
    ...(auth && { auth }),
    ...(links && { links }),
    ...(cors && { cors }),
    ...(bodyBytes !== undefined && { bodyBytes }),
  });
  return {
    Runs: class extends RunsObject {
      constructor(ctx: DurableObjectState, env: unknown) {
        super(ctx, env, options);
      }
    },
    app,
  };
}

/** Every namespace has objects of its own. */
function objectsOf(objects: Objects, namespace: string | undefined): Objects {
  return namespace === undefined ? objects : { getByName: (name) => objects.getByName(`${namespace}/${name}`) };
}

function objectsIn(env: unknown, binding: string): Objects {
  const objects = (env as Readonly<Record<string, Objects | undefined>> | undefined)?.[binding];
  if (objects) return objects;
  throw new TypeError(
    `there is no binding ${JSON.stringify(binding)}; add [[durable_objects.bindings]] with name = ${JSON.stringify(binding)} and class_name = "Runs" to wrangler.toml`,
  );
}
