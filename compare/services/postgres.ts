import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Service } from '../services.ts';
import { freePort, type Identity, startServer } from './server.ts';

/** As it comes: fsync and synchronous_commit on. */
export async function startPostgres(directory: string, trace: string | undefined): Promise<Service> {
  mkdirSync(directory);
  const identity = process.getuid?.() === 0 ? notRoot() : undefined;
  if (identity) {
    chownSync(directory, identity.uid, identity.gid);
    if (trace !== undefined) {
      writeFileSync(trace, '');
      chownSync(trace, identity.uid, identity.gid);
    }
    chmodSync(dirname(directory), 0o755);
  }
  const data = join(directory, 'data');
  execFileSync('initdb', ['-D', data, '-U', 'compare', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    stdio: 'ignore',
    ...identity,
  });
  const port = await freePort();
  const settings = [
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
    '-c',
    'unix_socket_directories=',
    '-c',
    'max_connections=200',
  ];
  const url = `postgresql://compare@127.0.0.1:${port}/postgres`;
  return await startServer(['postgres', '-D', data, ...settings], { port, url, trace, ...(identity && { identity }) });
}

/** PostgreSQL refuses to run as root. */
function notRoot(): Identity {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres']));
  return { uid: id('-u'), gid: id('-g') };
}
