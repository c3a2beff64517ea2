import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';

const { default: binary } = createRequire(createRequire(import.meta.url).resolve('wrangler'))('workerd') as {
  readonly default: string;
};

export const TOKEN = 'client-0123456789';

/** The runtime by itself: one process, so that a kill is a kill. */
export interface Workerd {
  readonly url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** What the Worker answers to a client; rejects unless it is well. */
  ask<T>(path: string, body?: unknown): Promise<T>;
  /** Other code for the same objects, from the next start on. */
  deploy(entry: string): Promise<void>;
  remove(): Promise<void>;
}

/** Serves a Worker's file from a directory of its own. */
export async function workerd(entry: string): Promise<Workerd> {
  const directory = await mkdtemp(join(tmpdir(), 'fuseline-workerd-'));
  const port = await freePort();
  await mkdir(join(directory, 'objects'));
  const deploy = async (file: string) => {
    await build({
      entryPoints: [resolve(file)],
      bundle: true,
      format: 'esm',
      target: 'es2023',
      external: ['cloudflare:workers'],
      outfile: join(directory, 'worker.js'),
      logLevel: 'error',
    });
  };
  await deploy(entry);
  await writeFile(join(directory, 'config.capnp'), config(directory, port));
  let child: ChildProcess | undefined;
  let gone: Promise<unknown> | undefined;
  const kill = async () => {
    child?.kill('SIGKILL');
    await gone;
  };
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    async ask<T>(path: string, body?: unknown): Promise<T> {
      const response = await fetch(url + path, {
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      });
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return (await response.json()) as T;
    },
    async start() {
      child = spawn(binary, ['serve', join(directory, 'config.capnp')], { stdio: ['ignore', 'ignore', 'inherit'] });
      gone = once(child, 'close');
      while (!(await accepts(port))) {
        const end = child.exitCode ?? child.signalCode;
        if (end !== null) throw new Error(`the runtime ended with ${end} before it listened on port ${port}`);
        await sleep(5);
      }
    },
    kill,
    deploy,
    async remove() {
      await kill();
      await rm(directory, { recursive: true });
    },
  };
}

function config(directory: string, port: number): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = ${JSON.stringify(join(directory, 'objects'))}, writable = true)),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  durableObjectNamespaces = [(className = "Runs", uniqueKey = "fuseline-Runs", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
    (name = "RUNS", durableObjectNamespace = "Runs"),
    (name = "CLIENT_TOKEN", text = ${JSON.stringify(TOKEN)}),
  ],
);
`;
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
}

/** Whether somebody listens; nothing is asked. */
function accepts(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      answer(true);
    });
    socket.once('error', () => answer(false));
  });
}
