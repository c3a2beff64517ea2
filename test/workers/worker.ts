import { DurableObject } from 'cloudflare:workers';
import { typed, workflow } from 'fuseline';
import { durableWorkflows } from 'fuseline/durable-object';
import { elsewhere, faulty, sum } from '../routes/flows.ts';

export { Runs as Approvals } from './approval.ts';
export { sum };

export const SHARDS = 3;

/** An object with nothing in it, for tests that bring their own. */
export class Bare extends DurableObject {}

/** The attempts that were entered, by gate. An object forgets them when it dies; its isolate does not. */
export const entered: string[] = [];

/** Gates that let a body pass. */
export const open = new Set<string>();

const gated = workflow('gated', { input: typed<string>() }, ($) => {
  const held = $.step('held', { gate: $.input }, async ({ gate }, { attempt }) => {
    entered.push(`${gate}, attempt ${attempt}`);
    while (!open.has(gate)) await new Promise((resolve) => setTimeout(resolve, 10));
    return gate;
  });
  return $.step('after', { held }, ({ held }) => `${held} is open`);
});

const napping = workflow('napping', { input: typed<string>() }, ($) =>
  $.step(
    'naps',
    { name: $.input },
    ({ name }, { attempt }) => {
      entered.push(`${name}, attempt ${attempt}`);
      return attempt < 2 ? Promise.reject(new Error('not yet')) : attempt;
    },
    { retry: { attempts: 2, backoff: 'constant', base: '1500ms', jitter: 'none' } },
  ),
);

const patient = workflow('patient', ($) => {
  return $.step('tries', {}, (_, { attempt }) => (attempt < 2 ? Promise.reject(new Error('not yet')) : attempt), {
    retry: { attempts: 2, backoff: 'constant', base: '1h', max: '1h', jitter: 'none' },
  });
});

/** Has `sum` run for it. */
export const calling = workflow('calling', { input: typed<{ readonly a: number; readonly b: number }>() }, ($) =>
  $.run('sum', sum, $.input),
);

const edge = durableWorkflows({
  workflows: [sum, gated, faulty, napping, patient, elsewhere],
  binding: 'RUNS',
  shards: SHARDS,
  queues: ['default'],
});

/** How many alarms are still to fail. */
export const broken = { alarms: 0 };

export class Runs extends edge.Runs {
  override async alarm(): Promise<void> {
    const done = super.alarm();
    if (broken.alarms > 0) {
      broken.alarms--;
      throw new Error('the handler of the alarm is broken');
    }
    await done;
  }
}

/** The same with an object for every run. */
export const perRun = durableWorkflows({
  workflows: [sum, gated, faulty, elsewhere, calling],
  binding: 'EACH',
  shards: 'per-run',
  queues: ['default'],
});

export class Each extends perRun.Runs {}

export default edge.app;
