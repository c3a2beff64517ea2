import { execFileSync, spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { traced } from '../processes.ts';
import type { Service } from '../services.ts';

const START_MS = 20_000;

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Runs a server until it is stopped; resolves once it takes connections. */
export async function startServer(
  command: readonly [string, ...string[]],
  {
    port,
    url,
    trace,
    identity,
    env,
  }: {
    readonly port: number;
    readonly url: string;
    readonly trace: string | undefined;
    readonly identity?: Identity;
    /** Beside those of this process. */
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<Service> {
  const [file, ...args] = trace === undefined ? command : traced(trace, command);
  const server = spawn(file, args, { stdio: 'ignore', env: { ...process.env, ...env }, ...identity });
  let gone = false;
  const ended = new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.once('close', () => resolve());
  }).then(() => {
    gone = true;
  });
  const until = Date.now() + START_MS;
  while (!(await answers(port))) {
    if (gone || Date.now() > until) throw new Error(`${command[0]} did not start`);
    await sleep(50);
  }
  return {
    url,
    async stop() {
      // The tracer passes no signal on: what it traces is told itself.
      const pids = trace === undefined ? [server.pid as number] : childrenOf(server.pid as number);
      for (const pid of pids) process.kill(pid, 'SIGINT');
      await ended;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function childrenOf(pid: number): number[] {
  return String(execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)]))
    .trim()
    .split(/\s+/)
    .map(Number);
}
