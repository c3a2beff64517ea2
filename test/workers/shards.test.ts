import { durableWorkflows } from 'fuseline/durable-object';
import { describe, expect, test, vi } from 'vitest';
import { placeOf } from '../../src/edge/shards.ts';
import { sum } from './worker.ts';

const ids = Array.from({ length: 2000 }, (_, i) => `order-${i}`);

describe('the place of a run', () => {
  test('is in its whole id, and stays the same whatever the number of shards becomes', () => {
    for (const id of ids) {
      const place = placeOf(id, 8);
      expect(placeOf(place.run, 8)).toEqual(place);
      expect(placeOf(place.run, 100)).toEqual(place);
    }
  });

  test('is any of the shards, about as often', () => {
    const counts = Array.from({ length: 8 }, () => 0);
    for (const id of ids) counts[placeOf(id, 8).shard] = (counts[placeOf(id, 8).shard] ?? 0) + 1;
    expect(Math.min(...counts)).toBeGreaterThan(ids.length / 8 / 2);
    expect(Math.max(...counts)).toBeLessThan((ids.length / 8) * 2);
  });

  test('moves with a further shard only to that one, for about one id in nine', () => {
    const moved = ids.filter((id) => placeOf(id, 8).shard !== placeOf(id, 9).shard);
    for (const id of moved) expect(placeOf(id, 9).shard).toBe(8);
    expect(moved.length).toBeLessThan((ids.length / 9) * 2);
  });

  test.each(['8.some', '9999.some'])('%s is none of eight', (id) => {
    expect(() => placeOf(id, 8)).toThrow(expect.objectContaining({ code: 'INVALID_ID' }));
  });

  test.each(['08.some', '10000.some', '8.', '.some', 'some.8'])(
    '%s says no number, so it has a place by its hash',
    (id) => {
      expect(placeOf(id, 8).run).toMatch(new RegExp(`^[0-7]\\.${id.replaceAll('.', '\\.')}$`));
    },
  );
});

test.each([0, 1.5, 1001, Number.NaN])('%d shards are a mistake', (shards) => {
  expect(() => durableWorkflows({ workflows: [sum], binding: 'RUNS', shards })).toThrow(TypeError);
});

describe('an object that throws', () => {
  const asked: string[] = [];
  const { app } = durableWorkflows({ workflows: [sum], binding: 'RUNS' });

  /** A binding whose objects fail so, as often as told, before they answer. */
  const failing = (error: object, times: number) => ({
    getByName: () => ({
      ask: async (_: string, order: { readonly id: string }) => {
        asked.push(order.id);
        if (asked.length <= times) throw Object.assign(new Error('internal error; reference = 17'), error);
        return { status: 'given', value: { id: order.id } };
      },
    }),
  });
  const dispatch = async (objects: object) => {
    asked.length = 0;
    const response = await app.request('http://localhost/workflows/sum/runs', { method: 'POST' }, { RUNS: objects });
    return { status: response.status, text: await response.text() };
  };

  test('what may be tried again is asked again, for the same run', async () => {
    expect((await dispatch(failing({ retryable: true }, 2))).status).toBe(202);
    expect(asked).toHaveLength(3);
    expect(new Set(asked).size).toBe(1);
  });

  test('and not for ever', async () => {
    expect((await dispatch(failing({ retryable: true }, 3))).status).toBe(503);
    expect(asked).toHaveLength(3);
  });

  test('one that has too much to do is left in peace', async () => {
    const { status, text } = await dispatch(failing({ retryable: true, overloaded: true }, 1));
    expect([status, asked.length]).toEqual([503, 1]);
    expect(text).toContain('UNAVAILABLE');
  });

  test('a defect is logged, and answered without a word of what it was', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const { status, text } = await dispatch(failing({}, 1));
    expect([status, asked.length]).toEqual([500, 1]);
    expect(text).not.toContain('reference');
    expect(log).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: expect.stringContaining('reference') }),
    );
    log.mockRestore();
  });
});
