import type { FarGrant } from '../adapters/http/wire.ts';
import { FuselineError } from '../core/errors.ts';
import type { Session } from '../core/sessions.ts';
import type { Key } from '../core/store.ts';
import { BEAT, FAR_ORDER, FETCH, ID, NEWS, READ, REGISTRATION, REPORTS, SCAN, SECRET, WORKER } from './requests.ts';
import { ALL_ROLES, CLIENTS, NO_CONTENT, type Route, route, WORKERS } from './route.ts';
import { proofOf } from './secrets.ts';

/** How often a worker says that it lives, and after how long without a word it is given up. */
const BEAT_MS = 10_000;
const SILENCE_MS = 30_000;

/** What workers ask, and storages that are elsewhere. */
export const WORKER_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    at: '/workers',
    name: 'registerWorker',
    does: 'Makes a worker known: which graphs it has handlers for. It chooses its id and its secret.',
    for: WORKERS,
    headers: SECRET,
    body: REGISTRATION,
    answers: { 200: { says: 'beatMs: how often it is to say that it lives; silenceMs: then it is given up; now' } },
    handle: async ({ runs, body, headers }) => {
      await runs.register(body, await proofOf(headers['fuseline-secret']));
      return Response.json({ beatMs: BEAT_MS, silenceMs: SILENCE_MS, now: Date.now() });
    },
  }),
  route({
    method: 'POST',
    at: '/workers/:worker/fetch',
    name: 'fetchClaims',
    does: 'Claims steps, of one run or of all. Where there are none, waits up to waitMs for some.',
    for: WORKERS,
    headers: SECRET,
    path: WORKER,
    body: FETCH,
    answers: { 200: { says: 'claims, each with its secret and all the step needs' } },
    handle: async ({ runs, path: { worker }, headers, body, request: { signal } }) => {
      const { waitMs = 0, limit = 1, held = [], run, busy } = body;
      const proof = await proofOf(headers['fuseline-secret']);
      const until = Date.now() + waitMs;
      const fetch = () =>
        runs.fetch(worker, proof, {
          limit,
          held,
          ...(run !== undefined && { run }),
          ...(busy !== undefined && { busy }),
        });
      if (waitMs === 0) return Response.json(await fetch());
      // No name that whoever asks for news could give itself, and end the waits of this worker by it.
      const asker = `fetch/${worker}`;
      // Known before the look, so that nothing comes in between.
      for (let { cursor } = await runs.news(asker, undefined, 0); ; ) {
        // What is claimed for somebody who has gone meanwhile would wait until that is noticed.
        const granted: FarGrant = signal.aborted ? { claims: [], rest: 'later' } : await fetch();
        if (signal.aborted || granted.claims.length > 0) return Response.json(granted);
        for (let isReady = false; !isReady; ) {
          const left = until - Date.now();
          if (left <= 0) return Response.json(granted);
          const news = await runs.news(asker, cursor, left);
          cursor = news.cursor;
          // A later request of this worker waits in its place; waiting on would end that one's wait in turn.
          if (news.keys?.length === 0) return Response.json(granted);
          isReady = !news.keys || news.keys.some((key) => key.startsWith('ready/'));
        }
      }
    },
  }),
  route({
    method: 'POST',
    at: '/workers/:worker/report',
    name: 'reportClaims',
    does: 'Records what became of claims, and claims more of their runs in the same commits.',
    for: WORKERS,
    path: WORKER,
    body: REPORTS,
    answers: { 200: { says: 'for each report: recorded, duplicate, stale, or refused with a code' } },
    handle: async ({ runs, path, body }) => Response.json({ answers: await runs.report(path.worker, body.reports) }),
  }),
  route({
    method: 'POST',
    at: '/workers/:worker/heartbeat',
    name: 'beatWorker',
    does: 'Says that the worker lives. Answers 404 if it was given up.',
    for: WORKERS,
    headers: SECRET,
    path: WORKER,
    body: BEAT,
    answers: NO_CONTENT,
    handle: async ({ runs, path, headers, body }) => {
      await runs.beat(path.worker, await proofOf(headers['fuseline-secret']), body.held ?? []);
      return new Response(null, { status: 204 });
    },
  }),
  route({
    method: 'DELETE',
    at: '/workers/:worker',
    name: 'removeWorker',
    does: 'The worker ends; what it still holds is there for others.',
    for: WORKERS,
    headers: SECRET,
    path: WORKER,
    answers: NO_CONTENT,
    handle: async ({ runs, path, headers }) => {
      await runs.leave(path.worker, await proofOf(headers['fuseline-secret']));
      return new Response(null, { status: 204 });
    },
  }),
  route({
    method: 'POST',
    at: '/runs',
    name: 'createRun',
    does: 'Records a run of a graph, by its hash, with an input as the codec writes it. For HttpStorage.',
    for: CLIENTS,
    body: FAR_ORDER,
    answers: {
      202: {
        says: 'the whole id of the run',
        shape: { type: 'object', properties: { id: ID }, required: ['id'], additionalProperties: false },
      },
    },
    handle: async ({ runs, body }) => Response.json(await runs.create(body), { status: 202 }),
  }),
  route({
    method: 'POST',
    at: '/rows/read',
    name: 'readRows',
    does: 'Rows as they are kept. For HttpStorage.',
    for: ALL_ROLES,
    body: READ,
    answers: {
      200: { says: 'value and version of the first of them, null for what is not there; the rest had no room' },
    },
    handle: async ({ runs, body }) => {
      const rows = await runs.read(body.keys);
      return Response.json({ rows: rows.map((row, i) => shown(body.keys[i] as Key, row)) });
    },
  }),
  route({
    method: 'POST',
    at: '/rows/scan',
    name: 'scanRows',
    does: 'Ranges of rows as they are kept. For HttpStorage.',
    for: ALL_ROLES,
    body: SCAN,
    answers: {
      200: { says: 'a page of each range, and whether it goes on; behind no row, it is to be asked for again' },
    },
    handle: async ({ runs, body: { ranges } }) => {
      const wide = ranges.find(({ from, to }) => kindOf(from) !== kindOf(to));
      if (wide)
        throw new FuselineError(
          'INVALID_REQUEST',
          `a range goes from ${wide.from} to ${wide.to}; stay with one kind of rows`,
        );
      const pages = await runs.scan(ranges);
      return Response.json({
        pages: pages.map(({ rows, ...page }) => ({ ...page, rows: rows.map((row) => shown(row.key, row)) })),
      });
    },
  }),
  route({
    method: 'POST',
    at: '/rows/news',
    name: 'getNews',
    does: 'Names rows that have changed since a cursor; waits up to waitMs for some. For HttpStorage.',
    for: ALL_ROLES,
    body: NEWS,
    answers: { 200: { says: 'the next cursor, and keys; without keys, anything may have changed' } },
    handle: async ({ runs, body: { asker, cursor, waitMs = 0 } }) =>
      Response.json(await runs.news(asker, cursor, waitMs)),
  }),
];

function kindOf(key: string): string | undefined {
  return /^[a-z]+/.exec(key)?.[0];
}

/** What the secret of a worker hashes to is nobody's who reads its session. */
function shown<R extends object | null>(key: Key, row: R): R {
  if (!key.startsWith('session/') || !row || !('value' in row)) return row;
  const { proof: _, ...session } = JSON.parse(row.value as string) as Session;
  return { ...row, value: JSON.stringify(session) };
}
