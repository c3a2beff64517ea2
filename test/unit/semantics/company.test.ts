import { RuntimeStorage, typed, workflow } from 'fuseline';
import { describe, expect, test } from 'vitest';
import type { ClaimRequest } from '../../../src/core/decide.ts';
import type { RunLogs } from '../../../src/core/run-logs.ts';
import { boom, gate, nothing, Rig, SmallStore } from './rig.ts';

const partsOf = async (rig: Rig, step: string) => {
  const parts: unknown[] = [];
  for await (const { value } of rig.storage.stream('run', step)) parts.push(value);
  return parts;
};

describe('what happens to one step is nobody else’s business', () => {
  // proves: rerun.old-body
  test('a worker whose step waits for its old body takes what else there is', async () => {
    const rig = new Rig();
    const long = gate();
    const old = gate();
    const holds = workflow('holds', ($) => $.step('holds', {}, () => long.promise));
    const again = workflow('again', ($) => {
      const first = $.step('first', {}, nothing);
      return $.step('second', { first }, () => old.promise);
    });
    const short = workflow('short', ($) => $.step('short', {}, () => 'done'));
    const engine = rig.engine([holds, again, short]);
    await engine.start();
    await rig.dispatch(holds, undefined, 'holds');
    await rig.dispatch(again, undefined, 'again');
    await rig.host.advance(1000);
    await rig.storage.enqueue('again', 'first');
    await rig.host.advance(1000);
    expect(await rig.steps('again')).toMatchObject({ first: 'SUCCEEDED', second: 'PENDING' });
    const run = await rig.dispatch(short, undefined, 'short');
    await rig.host.advance(2000);
    expect(await run.status()).toBe('SUCCEEDED');
    old.open();
    await rig.host.advance(2000);
    expect(await rig.storage.status('again')).toBe('SUCCEEDED');
    long.open();
    await rig.host.until(engine.stop());
  });

  // proves: lost.alone
  test('a worker that waits until it can run a lost step alone goes on once another one has', async () => {
    const rig = new Rig();
    const long = gate();
    const holds = workflow('holds', ($) => $.step('holds', {}, () => long.promise));
    const lost = workflow('lost', ($) => $.step('lost', {}, nothing));
    await rig.dispatch(lost, undefined);
    await rig.storage.register('dead', { name: 'dead', definitions: [lost], queues: ['default'] });
    const request: ClaimRequest = { worker: 'dead', limit: 1, busy: 0, held: new Set(), serves: () => true };
    expect((await rig.storage.claim('run', request)).claims).toHaveLength(1);
    await rig.storage.reap('dead');
    await rig.dispatch(holds, undefined, 'holds');
    const engine = rig.engine([holds, lost]);
    await engine.start();
    await rig.host.advance(5000);
    expect(await rig.steps()).toMatchObject({ lost: 'PENDING' });
    await rig.host.until(rig.engine(lost, {}, rig.open()).work('run'));
    const run = await rig.dispatch(lost, undefined, 'later');
    await rig.host.advance(3000);
    expect(await run.status()).toBe('SUCCEEDED');
    long.open();
    await rig.host.until(engine.stop());
  });

  // proves: result.kept
  test('a value too large for a commit fails its own step, and none whose end came in the same moment', async () => {
    const rig = new Rig();
    const storage = new RuntimeStorage({ store: new SmallStore(), host: rig.host });
    const end = gate();
    const wf = workflow('w', ($) => ({
      big: $.step('big', {}, () => end.promise.then(() => 'x'.repeat(2 * SmallStore.most))),
      small: $.step('small', {}, () => end.promise.then(() => 'fine')),
      other: $.step('other', {}, () => end.promise.then(() => 'fine, too')),
    }));
    await wf.dispatch(undefined, { storage, id: 'run' });
    const working = rig.engine(wf, {}, storage).work('run');
    await rig.host.advance(1000);
    end.open();
    await rig.host.until(working);
    const { steps } = await storage.get('run');
    expect(steps.map(({ name, status }) => [name, status])).toEqual([
      ['big', 'FAILED'],
      ['small', 'SUCCEEDED'],
      ['other', 'SUCCEEDED'],
    ]);
  });

  // proves: emit.stays
  test('what an attempt has emitted before it failed is recorded, awaited or not', async () => {
    const rig = new Rig();
    const wf = workflow('w', ($) =>
      $.step('says', {}, (_, { emit }) => {
        for (const part of [1, 2, 3]) void emit(part);
        return boom();
      }),
    );
    expect(await rig.end(wf)).toMatchObject({ says: 'FAILED' });
    expect(await partsOf(rig, 'says')).toEqual([1, 2, 3]);
  });

  // proves: lost.again
  test('a step that the failure of another one has cancelled is not taken up again when its worker is found dead', async () => {
    const rig = new Rig();
    const wf = workflow('w', { failFast: true }, ($) => ({
      fails: $.step('fails', {}, nothing, { retry: { attempts: 1, losses: 1 } }),
      beside: $.step('beside', {}, nothing),
    }));
    await rig.dispatch(wf, undefined);
    await rig.storage.register('w', { name: 'w', definitions: [wf], queues: ['default'] });
    const request: ClaimRequest = { worker: 'w', limit: 2, busy: 0, held: new Set(), serves: () => true };
    expect((await rig.storage.claim('run', request)).claims).toHaveLength(2);
    // Between the count of its claims and this it may have made another one.
    const { logs } = rig.storage as unknown as { readonly logs: RunLogs };
    await logs.get('run').submit({ type: 'lose', worker: 'w', company: 1 }, nothing);
    expect(await rig.steps()).toEqual({ run: 'FAILED', fails: 'FAILED', beside: 'CANCELLED' });
    expect((await rig.history()).filter((event) => event.startsWith('lost'))).toEqual([]);
    expect(await rig.storage.timerRows(1)).toEqual([]);
  });

  test('a run that is to begin when no clock can say keeps no other from its time', async () => {
    const rig = new Rig();
    const never = workflow('never', ($) => $.step('never', {}, nothing));
    for (let i = 0; i < 70; i++) await never.dispatch(undefined, { storage: rig.storage, startAt: 1e30 });
    const sleeps = workflow('sleeps', ($) => $.sleep('sleeps', '1s'));
    const run = await rig.dispatch(sleeps, undefined);
    const engine = rig.engine([never, sleeps]);
    await engine.start();
    await rig.host.advance(3000);
    expect(await run.status()).toBe('SUCCEEDED');
    await rig.host.until(engine.stop());
  });

  // proves: child.result
  test('who works on a run, and is busy with it, hears what others have done to one below it', async () => {
    const rig = new Rig();
    const long = gate();
    const waits = workflow('waits', ($) => {
      const answer = $.waitFor('answer', typed<string>());
      return $.step('after', { answer }, ({ answer }) => answer);
    });
    const calls = workflow('calls', ($) => ({
      long: $.step('long', {}, () => long.promise),
      waits: $.run('waits', waits, {}),
    }));
    const run = await rig.dispatch(calls, undefined);
    const working = rig.engine(calls).work('run');
    await rig.host.advance(1000);
    const elsewhere = rig.open();
    const { runs } = await elsewhere.list();
    const below = runs.find(({ id }) => id !== 'run')?.id as string;
    await elsewhere.signal(below, 'answer', 'yes');
    await rig.host.advance(2000);
    expect(await elsewhere.status(below)).toBe('SUCCEEDED');
    long.open();
    await rig.host.until(working);
    expect(await run.result()).toEqual({ long: undefined, waits: 'yes' });
  });
});
