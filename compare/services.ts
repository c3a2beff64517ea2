import type { ServiceName } from './engine.ts';
import { has } from './processes.ts';
import { startPostgres } from './services/postgres.ts';
import { startRedis } from './services/redis.ts';
import { startWrangler } from './services/wrangler.ts';

/** A server of this comparison's own, on loopback, that ends with it. */
export interface Service {
  readonly url: string;
  stop(): Promise<void>;
}

export interface Services {
  readonly canTrace: boolean;
  /** Started when first asked for; empty for an engine that needs none. */
  url(name: ServiceName | undefined, how: 'plain' | 'traced'): Promise<string>;
  /** The file with the syncs of a traced one. */
  traceOf(name: ServiceName): string;
  stop(): Promise<void>;
}

const STARTS: Record<ServiceName, (directory: string, trace: string | undefined) => Promise<Service>> = {
  postgres: startPostgres,
  'redis everysec': (directory, trace) => startRedis(directory, trace, 'everysec'),
  'redis always': (directory, trace) => startRedis(directory, trace, 'always'),
  wrangler: startWrangler,
};

export function openServices(directory: string): Services {
  const started = new Map<string, Promise<Service>>();
  const placeOf = (name: ServiceName, how: string) => `${directory}/${name.replace(' ', '-')}-${how}`;
  const traceOf = (name: ServiceName) => `${placeOf(name, 'traced')}.trace`;
  return {
    canTrace: has('strace'),
    traceOf,
    async url(name, how) {
      if (name === undefined) return '';
      const key = placeOf(name, how);
      const service = started.get(key) ?? STARTS[name](key, how === 'traced' ? traceOf(name) : undefined);
      started.set(key, service);
      return (await service).url;
    },
    async stop() {
      for (const service of started.values())
        await service.then(
          (it) => it.stop(),
          () => undefined,
        );
    },
  };
}
