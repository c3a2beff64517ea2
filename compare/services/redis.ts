import { mkdirSync } from 'node:fs';
import type { Service } from '../services.ts';
import { freePort, startServer } from './server.ts';

/** With a log of every write; `everysec` is what its makers recommend, `always` what a durable step asks for. */
export async function startRedis(
  directory: string,
  trace: string | undefined,
  appendfsync: 'everysec' | 'always',
): Promise<Service> {
  mkdirSync(directory);
  const port = await freePort();
  const settings = {
    dir: directory,
    port,
    bind: '127.0.0.1',
    appendonly: 'yes',
    appendfsync,
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return await startServer(['redis-server', ...args], { port, url: `redis://127.0.0.1:${port}`, trace });
}
