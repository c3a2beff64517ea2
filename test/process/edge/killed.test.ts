import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HistoryEvent } from 'fuseline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Workerd, workerd } from './workerd.ts';

const RUNS_PER_LIFE = 6;
const LIVES = 4;
/** How long a body is in the witness's hands: a run has three of them behind each other, and outlives its runtime. */
const BODY_MS = 100;
const LONGEST_LIFE_MS = 200;
/** What an alarm may take to ring after a start, with much room. */
const SOON_MS = 20_000;

interface Note {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
}

const notes: Note[] = [];
const witness = createServer((request, response) => {
  const query = new URL(request.url ?? '', 'http://witness').searchParams;
  const note = { run: query.get('run') ?? '', step: query.get('step') ?? '', attempt: Number(query.get('attempt')) };
  notes.push(note);
  setTimeout(() => response.end(`${note.run} ${note.step}`), BODY_MS);
});

let runtime: Workerd;
beforeAll(async () => {
  witness.listen(0, '127.0.0.1');
  await once(witness, 'listening');
  runtime = await workerd('test/workers/served.ts');
});
afterAll(async () => {
  await runtime.remove();
  witness.close();
});

const ask = <T>(path: string, body?: unknown): Promise<T> => runtime.ask<T>(path, body);

/** The id of a run if its dispatch was answered; `undefined` if the runtime died before. */
async function dispatched(id: string): Promise<string | undefined> {
  const input = { witness: `http://127.0.0.1:${(witness.address() as AddressInfo).port}/` };
  const answer = await ask<{ id: string }>('/workflows/witnessed/runs', { id, input }).catch((error) => {
    if (error instanceof TypeError) return undefined;
    throw error;
  });
  return answer?.id;
}

test('a runtime that is killed again and again loses nothing it answered, and goes on from its alarms alone', async () => {
  const answered: string[] = [];
  await runtime.start();
  for (let life = 0; life < LIVES; life++) {
    const dispatches = Array.from({ length: RUNS_PER_LIFE }, async (_, i) => {
      const id = await dispatched(`life-${life}-${i}`);
      if (id !== undefined) answered.push(id);
    });
    await Promise.race(dispatches);
    // At any moment of their work.
    await sleep(Math.random() * LONGEST_LIFE_MS);
    await runtime.kill();
    await Promise.all(dispatches);
    const seen = notes.length;
    await runtime.start();
    // Nobody asks anything: what is heard comes from the alarms.
    await expect.poll(() => notes.length, { timeout: SOON_MS, interval: 5 }).toBeGreaterThan(seen);
  }
  expect(answered.length).toBeGreaterThanOrEqual(LIVES);
  for (const id of answered) {
    expect(await ask(`/runs/${id}/result?waitMs=20000`)).toEqual({ status: 'SUCCEEDED', value: `${id} last` });
    const { events } = await ask<{ events: readonly HistoryEvent[] }>(`/runs/${id}/history`);
    const ends = events.flatMap((event) => (event.type === 'succeeded' ? [event.step] : []));
    expect(ends.toSorted()).toEqual(['first', 'last', 'left', 'right']);
    for (const step of ends) {
      const attempts = notes.filter((note) => note.run === id && note.step === step).map(({ attempt }) => attempt);
      // An attempt that was claimed and never began is not heard of; none is heard of twice.
      expect(new Set(attempts).size).toBe(attempts.length);
    }
  }
});
