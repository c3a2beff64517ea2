import { expect } from 'vitest';

/** Somebody who asks a service, as whoever may do everything. */
export interface Client {
  ask(path: string, init?: RequestInit): Promise<Response>;
}

export interface RouteCase {
  readonly name: string;
  run(client: Asking): Promise<void>;
}

/** What is asked again and again. */
export class Asking {
  readonly ask: Client['ask'];

  constructor({ ask }: Client) {
    this.ask = ask;
  }

  async get<T = unknown>(path: string): Promise<T> {
    return (await (await this.ask(path)).json()) as T;
  }

  post(path: string, body: unknown): Promise<Response> {
    return this.ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Dispatches a run and answers its whole id. */
  async dispatch(workflow: string, order: object): Promise<string> {
    const response = await this.post(`/workflows/${workflow}/runs`, order);
    const answer = (await response.json()) as { readonly id: string };
    expect(response.status, JSON.stringify(answer)).toBe(202);
    return answer.id;
  }
}

/** What the routes promise, wherever they are served. The service has the workflows of `flows.ts`. */
export const routeCases: readonly RouteCase[] = [
  {
    name: 'what is dispatched is run, and its result is answered when it is there',
    async run(client) {
      const id = await client.dispatch('sum', { input: { a: 1, b: 2 } });
      expect(await client.get(`/runs/${id}/result?waitMs=20000`)).toEqual({ status: 'SUCCEEDED', value: 3 });
      expect(await client.get(`/runs/${id}`)).toMatchObject({ id, workflow: 'sum', status: 'SUCCEEDED' });
    },
  },
  {
    name: 'the same id and input again finds the run there is, another input is refused',
    async run(client) {
      const order = { id: crypto.randomUUID(), input: { a: 1, b: 2 } };
      const first = await client.dispatch('sum', order);
      expect(await client.dispatch('sum', order)).toBe(first);
      expect(await client.dispatch('sum', { ...order, id: first })).toBe(first);
      const other = await client.post('/workflows/sum/runs', { ...order, input: { a: 2, b: 2 } });
      expect(other.status).toBe(409);
      expect(await other.json()).toMatchObject({ error: { code: 'INPUT_MISMATCH' } });
    },
  },
  {
    name: 'a run that failed answers with what failed',
    async run(client) {
      const id = await client.dispatch('faulty', {});
      expect(await client.get(`/runs/${id}/result?waitMs=20000`)).toMatchObject({
        status: 'FAILED',
        error: { code: 'RUN_FAILED', failures: [{ step: 'broken', attempt: 1, message: 'it is broken' }] },
      });
    },
  },
  {
    name: 'a step of a queue the object does not serve is left for others',
    async run(client) {
      const id = await client.dispatch('elsewhere', {});
      await expect
        .poll(() => client.get(`/runs/${id}/explain`), { timeout: 20_000 })
        .toMatchObject({ sentence: expect.stringContaining('gpu') });
      expect(await client.get(`/runs/${id}/result`)).toEqual({ status: 'RUNNING' });
    },
  },
  {
    name: 'what there is nothing of is not found',
    async run(client) {
      for (const path of ['/runs/0.nothing', '/runs/nothing', '/runs/0.nothing/result', '/nothing']) {
        const response = await client.ask(path);
        expect([path, response.status]).toEqual([path, 404]);
        expect(response.headers.get('cache-control')).toBe('no-store');
        expect(response.headers.get('x-content-type-options')).toBe('nosniff');
        await response.body?.cancel();
      }
      expect((await client.post('/workflows/nothing/runs', {})).status).toBe(404);
    },
  },
  {
    name: 'a run is paused, resumed and cancelled',
    async run(client) {
      const id = await client.dispatch('elsewhere', {});
      expect((await client.post(`/runs/${id}/pause`, {})).status).toBe(204);
      expect(await client.get(`/runs/${id}`)).toMatchObject({ status: 'PAUSED' });
      expect((await client.post(`/runs/${id}/resume`, {})).status).toBe(204);
      expect((await client.post(`/runs/${id}/cancel`, { commandId: 'once' })).status).toBe(204);
      expect(await client.get(`/runs/${id}/result?waitMs=20000`)).toMatchObject({
        status: 'CANCELLED',
        error: { code: 'RUN_CANCELLED' },
      });
    },
  },
  {
    name: 'the history of a run comes in pages, and all of it in its export',
    async run(client) {
      const id = await client.dispatch('sum', { input: { a: 3, b: 4 } });
      await client.get(`/runs/${id}/result?waitMs=20000`);
      const events: { readonly type: string }[] = [];
      for (let from = 0; ; ) {
        const page = await client.get<{ events: typeof events; next?: number }>(
          `/runs/${id}/history?from=${from}&limit=2`,
        );
        events.push(...page.events);
        if (page.next === undefined) break;
        from = page.next;
      }
      expect(events.map(({ type }) => type)).toContain('created');
      expect(events.at(-1)).toMatchObject({ type: 'ended', status: 'SUCCEEDED' });
      expect(await client.get(`/runs/${id}/export`)).toMatchObject({ format: 'fuseline-run/1', id });
    },
  },
  {
    name: 'the events of a run are streamed until it has ended, and go on where a reader left off',
    async run(client) {
      const id = await client.dispatch('sum', { input: { a: 5, b: 6 } });
      const stream = async (headers: Readonly<Record<string, string>> = {}) => {
        const response = await client.ask(`/runs/${id}/events`, { headers });
        return { status: response.status, text: await response.text() };
      };
      const { text } = await stream();
      const { events } = await client.get<{ events: readonly { seq: number; index: number }[] }>(`/runs/${id}/history`);
      const datas = (text: string) => [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
      expect(datas(text)).toEqual(events);
      const { seq, index } = events[2] as (typeof events)[number];
      expect(datas((await stream({ 'last-event-id': `${seq}.${index}` })).text)).toEqual(events.slice(3));
      const last = events.at(-1) as (typeof events)[number];
      expect(await stream({ 'last-event-id': `${last.seq}.${last.index}` })).toEqual({ status: 204, text: '' });
    },
  },
];
