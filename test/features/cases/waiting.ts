import { ProcessEngine, type RunHandle, type StandardSchema, typed, workflow } from 'fuseline';
import { ensure, equal, refused } from '../../../src/testing/check.ts';
import { during, type FeatureCase } from './ground.ts';

export interface Approval {
  readonly by: string;
}

/** As a library of validators would hand it out. */
const approval: StandardSchema<unknown, Approval> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof (value as Partial<Approval> | null)?.by === 'string'
        ? { value: { by: (value as Approval).by } }
        : { issues: [{ message: 'must be a text', path: ['by'] }] },
  },
};

const SLEEP_MS = 400;

export const waiting = workflow('features-waiting', { input: typed<{ readonly forMs: number }>() }, ($) => {
  const begun = $.step('begun', { given: $.input }, ({ given }) => ({ at: Date.now(), ...given }));
  const slept = $.sleep('slept', SLEEP_MS, { after: begun });
  const woke = $.step('woke', { begun }, ({ begun }) => Date.now() - begun.at, { after: slept });
  const until = $.sleepUntil('until', { begun }, ({ begun }) => new Date(begun.at + begun.forMs));
  const late = $.step('late', { begun }, ({ begun }) => Date.now() - begun.at, { after: until });
  return { woke, late };
});

/** However slow the machine, it is looked at while it sleeps. */
export const patient = workflow('features-patient', ($) => $.sleep('slept', '1h'));

export const approve = workflow('features-approve', ($) => {
  const asked = $.step('asked', {}, () => 'asked');
  const answer = $.waitFor('approved', approval, { after: asked });
  return $.step('told', { answer }, ({ answer }) => `approved by ${answer.by}`);
});

export const approvals = workflow('features-approvals', ($) => {
  const first = $.waitFor('first', typed<string>(), { signal: 'news' });
  const second = $.waitFor('second', typed<string>(), { signal: 'news', after: first });
  const never = $.waitFor('never', typed<string>(), { timeout: 1, fallback: (error) => error.message });
  return { first, second, never };
});

export const waitingCases: readonly FeatureCase[] = [
  // proves: sleep.for, sleep.until, waiting.unheld
  {
    name: 'a step sleeps for its time, or until its moment, and no worker holds it',
    run: (ground) =>
      during(ground, async (storage) => {
        const run = await waiting.dispatch({ forMs: 90 }, { storage });
        const engine = new ProcessEngine(waiting, storage, { concurrency: 1 });
        const report = await engine.work(run.id);
        const { woke, late } = await run.result();
        ensure(woke >= SLEEP_MS && late >= 90, `the steps behind a sleep ran after ${woke} and ${late} ms`);
        equal(report.attempts, 4, 'attempts: a step that sleeps for a time is none');
      }),
  },
  // proves: waiting.kept, waiting.running, sleep.past
  {
    name: 'a sleep is there after everything was closed, and ends when its time has come',
    run: async (ground) => {
      const sleeps = async (run: RunHandle<unknown>) => {
        equal(await run.status(), 'RUNNING', 'a run that only sleeps');
        const [slept] = (await run.get()).steps;
        ensure(slept?.status === 'PENDING' && slept.waits?.until !== undefined, `the step is ${JSON.stringify(slept)}`);
        ensure(/sleeps for another/.test(await run.explain('slept')), await run.explain('slept'));
        return slept.waits.until;
      };
      const { id, long, until } = await during(ground, async (storage) => {
        const { id } = await waiting.dispatch({ forMs: 0 }, { storage });
        const long = await patient.dispatch(undefined, { storage });
        await new ProcessEngine([waiting, patient], storage).work();
        return { id, long: long.id, until: await sleeps(long) };
      });
      await during(ground, async (storage) => {
        await new ProcessEngine([waiting, patient], storage).work(id);
        equal(await storage.status(id), 'SUCCEEDED', 'the run');
        equal(await sleeps(patient.get(long, { storage })), until, 'the end of the sleep');
      });
    },
  },
  // proves: signal.checked, signal.refused, signal.sender
  {
    name: 'a signal goes to the step that waits for it; what is not valid is refused, and the step waits on',
    run: (ground) =>
      during(ground, async (storage) => {
        const run = await approve.dispatch(undefined, { storage });
        const engine = new ProcessEngine(approve, storage);
        await engine.start();
        await waits(run, 'approved');
        equal((await run.get()).steps[1]?.waits, { signal: 'approved' }, 'what the step waits for');
        await refused('INVALID_SIGNAL', run.signal('approved', { by: 7 }), 'what no step would take, from who knows');
        // From one who does not know the workflow; a service that does refuses at its door.
        const door = await storage.signal(run.id, 'approved', { by: 8 }).then(() => 'open', codeOf);
        await run.signal('approved', { by: 'ann', note: 'fine' });
        equal(await run.result(), 'approved by ann', 'the result');
        const told: string[] = [];
        for await (const { type } of storage.history(run.id))
          if (type === 'delivered' || type === 'refused') told.push(type);
        const refusal = door === 'open' ? ['delivered', 'refused'] : [];
        ensure(door === 'open' || door === 'INVALID_SIGNAL', `the signal was refused with ${door}`);
        equal(told, [...refusal, 'delivered'], 'what became of the signals');
        await engine.stop();
      }),
  },
  // proves: signal.once, signal.kept, signal.one-step, signal.order, signal.fallback
  {
    name: 'signals that come early are kept, and go to one step each in the order they came; one id counts once',
    run: (ground) =>
      during(ground, async (storage) => {
        const run = await approvals.dispatch(undefined, { storage });
        await run.signal('news', 'one', { id: 'a' });
        await run.signal('news', 'one', { id: 'a' });
        await run.signal('news', 'two', { id: 'b' });
        await run.signal('news', 'three', { id: 'c' });
        await new ProcessEngine(approvals, storage).work(run.id);
        const { first, second, never } = await run.result();
        equal([first, second], ['one', 'two'], 'what the steps were told');
        ensure(/was sent no signal "never" within 1 ms/.test(never), never);
      }),
  },
  // proves: waiting.ended, signal.rerun
  {
    name: 'a run is cancelled while it waits, and a step that is rerun asks anew',
    run: (ground) =>
      during(ground, async (storage) => {
        const cancelled = await approve.dispatch(undefined, { storage });
        await new ProcessEngine(approve, storage).work();
        await cancelled.cancel();
        equal(await cancelled.status(), 'CANCELLED', 'the run');
        await cancelled.retry();
        await cancelled.signal('approved', { by: 'bob' });
        const engine = new ProcessEngine(approve, storage);
        await engine.work(cancelled.id);
        equal(await cancelled.result(), 'approved by bob', 'the result after a retry');
        await cancelled.enqueue('approved');
        await cancelled.signal('approved', { by: 'eve' });
        await engine.work(cancelled.id);
        equal(await cancelled.result(), 'approved by eve', 'the result after a rerun');
      }),
  },
];

function codeOf(error: { readonly code?: string }): string | undefined {
  return error.code;
}

async function waits(run: RunHandle<unknown>, step: string): Promise<void> {
  for await (const event of run.events()) if (event.type === 'waiting' && event.step === step) return;
}
