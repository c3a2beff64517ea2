import { VirtualHost } from 'fuseline/testing';
import { beforeEach, expect, test } from 'vitest';
import { Pump } from '../../src/edge/pump.ts';

const HOUR_MS = 3_600_000;

/** A pump over an alarm that is noted here, and work that a test says. */
function pumpOf(host: VirtualHost) {
  const alarm = { at: null as number | null, writes: 0 };
  const errors: unknown[] = [];
  const task = { work: async (): Promise<void> => undefined, due: undefined as number | undefined, rounds: 0 };
  const pump = new Pump({
    alarm: {
      getAlarm: async () => alarm.at,
      setAlarm: async (at) => void Object.assign(alarm, { at, writes: alarm.writes + 1 }),
      deleteAlarm: async () => void Object.assign(alarm, { at: null, writes: alarm.writes + 1 }),
    },
    work: () => {
      task.rounds++;
      return task.work();
    },
    nextDue: async () => task.due,
    host,
    failed: (error) => errors.push(error),
  });
  /** As the platform does it: the alarm is gone when its handler begins. */
  const ring = () => {
    alarm.at = null;
    return pump.rang();
  };
  return { pump, alarm, task, errors, ring };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

let host: VirtualHost;
beforeEach(() => {
  host = new VirtualHost({ settle: settled, abortController: () => new AbortController() });
});

test('a change sets the alarm in its own turn, and work without an end leaves none', async () => {
  const { pump, alarm } = pumpOf(host);
  await pump.wakeUp();
  await settled();
  pump.wrote();
  expect(alarm.at).toBe(host.now() + 1_000);
  await settled();
  expect(alarm).toEqual({ at: null, writes: 2 });
});

test('changes while it works cost no further alarm', async () => {
  const { pump, alarm, task } = pumpOf(host);
  let writes = 100;
  task.work = async () => {
    if (writes-- > 0) pump.wrote();
  };
  pump.wrote();
  await settled();
  expect(writes).toBe(-1);
  expect(alarm).toEqual({ at: null, writes: 2 });
});

test('the alarm is set to what is due next, and not touched if it is that already', async () => {
  const { pump, alarm, task, ring } = pumpOf(host);
  const due = host.now() + HOUR_MS;
  task.due = due;
  pump.wrote();
  await settled();
  expect(alarm).toEqual({ at: due, writes: 2 });
  await pump.look();
  await settled();
  expect(alarm).toEqual({ at: due, writes: 2 });
  await host.advance(HOUR_MS);
  task.due = undefined;
  await ring();
  expect(alarm.at).toBeNull();
});

test('the handler sets the alarm before it does anything, and keeps the object up while there is work', async () => {
  const { alarm, task, ring } = pumpOf(host);
  let finish = (): void => undefined;
  task.work = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  let isOver = false;
  const rung = ring().then(() => {
    isOver = true;
  });
  expect(alarm.at).toBe(host.now() + 1_000);
  await settled();
  expect(isOver).toBe(false);
  finish();
  await rung;
  expect(alarm.at).toBeNull();
});

test('the handler ends before the platform ends it, with an alarm that takes over', async () => {
  const { alarm, task, ring } = pumpOf(host);
  task.work = () => new Promise(() => undefined);
  const rung = ring();
  await settled();
  await host.advance(600_000);
  await rung;
  expect(alarm.at).toBeLessThan(host.now());
  expect(task.rounds).toBe(1);
});

test('work that fails is tried again by the alarm, ever later, and for ever', async () => {
  const { alarm, task, errors, ring } = pumpOf(host);
  task.work = () => Promise.reject(new Error('the disk is on fire'));
  const waits: number[] = [];
  for (let i = 0; i < 9; i++) {
    await ring();
    waits.push((alarm.at ?? 0) - host.now());
    await host.advance((alarm.at ?? 0) - host.now());
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000));
  expect(errors).toHaveLength(9);
  task.work = async () => undefined;
  await ring();
  expect(alarm.at).toBeNull();
});

test('what is due and cannot be done is looked at again after a minute', async () => {
  const { alarm, task, ring } = pumpOf(host);
  task.due = host.now() - 1;
  await ring();
  expect(task.rounds).toBe(2);
  expect(alarm.at).toBe(host.now() + 60_000);
});

test('an alarm that is gone, or was given up, is missed by whoever asks next', async () => {
  const { pump, alarm, task } = pumpOf(host);
  task.due = host.now() + HOUR_MS;
  pump.wrote();
  await settled();
  for (const lost of [null, host.now() - 60_001]) {
    alarm.at = lost;
    await pump.look();
    await settled();
    expect(alarm.at).toBe(task.due);
  }
});

test('an object that finds an alarm when it is made leaves it if it is right', async () => {
  const { pump, alarm, task } = pumpOf(host);
  alarm.at = host.now() + HOUR_MS;
  task.due = alarm.at;
  await pump.wakeUp();
  await settled();
  expect(alarm.writes).toBe(0);
  expect(task.rounds).toBe(1);
});
