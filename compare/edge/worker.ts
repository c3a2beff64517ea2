import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers';
import { durableWorkflows } from '../../dist/edge/index.js';
import { define, nameOf } from '../definition.ts';
import { perform, type Task, ZERO } from '../tasks.ts';

interface Env {
  readonly RUNS: DurableObjectNamespace;
  readonly WORK: Workflow<Task>;
}

const LOOK_MS = 1;
const WAIT_MS = 25_000;

const TASKS: readonly Task[] = [
  { kind: 'short', size: 3 },
  ...[20, 200, 1000].flatMap((size): Task[] => [
    { kind: 'chain', size },
    { kind: 'fan', size },
  ]),
];

/** Nobody is killed here. */
const held = async () => ZERO;

const edge = durableWorkflows({ workflows: TASKS.map((task) => define(task, held)), binding: 'RUNS' });

export class Runs extends edge.Runs {}

/** To wait for a result, Workflows has a status to poll, with the results of all steps in it: the workflow tells. */
const ended = new Map<string, number>();

export class Work extends WorkflowEntrypoint<Env, Task> {
  override async run({ payload, instanceId }: WorkflowEvent<Task>, step: WorkflowStep): Promise<number> {
    const value = await perform(payload, (name, body) => step.do(name, body), held);
    ended.set(instanceId, value);
    return value;
  }
}

const engines: Readonly<Record<string, (task: Task, env: Env) => Promise<number>>> = {
  async '/fuseline'(task, env) {
    const id = crypto.randomUUID();
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ id, input: null });
    await ask(`/workflows/${nameOf(task)}/runs`, env, { method: 'POST', headers, body });
    const { value } = await ask<{ readonly value: number }>(`/runs/${id}/result?waitMs=${WAIT_MS}`, env);
    return value;
  },
  async '/workflows'(task, { WORK }) {
    const { id } = await WORK.create({ params: task });
    for (;;) {
      const value = ended.get(id);
      if (value !== undefined) {
        ended.delete(id);
        return value;
      }
      await scheduler.wait(LOOK_MS);
    }
  },
};

async function ask<T>(path: string, env: Env, init?: RequestInit): Promise<T> {
  const answer = await edge.app.request(`http://localhost${path}`, init, env);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return await answer.json<T>();
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const run = engines[new URL(request.url).pathname];
    if (!run) return new Response('no such engine', { status: 404 });
    const tasks = await request.json<readonly Task[]>();
    return Response.json(await Promise.all(tasks.map((task) => run(task, env))));
  },
};
