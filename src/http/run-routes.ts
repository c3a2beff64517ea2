import { EVENT_STREAM, eventStream, placeIn } from './event-stream.ts';
import { jsonOf } from './json-of.ts';
import {
  COMMAND,
  DEFAULT_RUNS,
  ENQUEUE,
  HISTORY,
  ID,
  LIST,
  MOST_EVENTS,
  NAME,
  ORDER,
  RUN,
  SIGNAL,
  WAIT,
} from './requests.ts';
import { ADMINS, ALL_ROLES, type Answers, CLIENTS, NO_CONTENT, type Route, route } from './route.ts';
import { isOpen, type RunResult } from './run-service.ts';

const JSON_TYPE = { 'content-type': 'application/json' } as const;

const COMMANDS = {
  cancel: 'Cancels a run that has not ended.',
  pause: 'Starts no further step of the run.',
  resume: 'Goes on with a run that was paused.',
  retry: 'Takes a failed or cancelled run up again where it ended.',
} as const;

/** What can be asked about runs. */
export const RUN_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    at: '/status',
    name: 'getStatus',
    does: 'Says that the service is there.',
    for: 'everybody',
    answers: ok('it is'),
    handle: () => Response.json({ status: 'ok' }),
  }),
  route({
    method: 'GET',
    at: '/caller',
    name: 'getCaller',
    does: 'Says whom the token is for: the role, and the namespace if it has one.',
    for: ALL_ROLES,
    answers: ok('role and namespace'),
    handle: ({ caller }) => Response.json(caller),
  }),
  route({
    method: 'GET',
    at: '/workflows',
    name: 'listWorkflows',
    does: 'Lists the workflows that can be dispatched here.',
    for: CLIENTS,
    answers: ok('name, version, hash and step names of each'),
    handle: ({ workflows }) =>
      Response.json({
        workflows: workflows.map((workflow) => {
          const { hash, steps } = workflow.graph();
          return { name: workflow.name, version: workflow.version, hash, steps: steps.map(({ name }) => name) };
        }),
      }),
  }),
  route({
    method: 'POST',
    at: '/workflows/:workflow/runs',
    name: 'dispatchRun',
    does: 'Records a run and queues its first steps. The same id and input again finds the run there is.',
    for: CLIENTS,
    path: { workflow: NAME },
    body: ORDER,
    answers: {
      202: {
        says: 'the whole id of the run',
        shape: { type: 'object', properties: { id: ID }, required: ['id'], additionalProperties: false },
      },
    },
    handle: async ({ runs, path, body }) => Response.json(await runs.dispatch({ ...body, ...path }), { status: 202 }),
  }),
  route({
    method: 'GET',
    at: '/runs',
    name: 'listRuns',
    does: 'Lists runs, newest first. status and label (name:value) may come several times.',
    for: CLIENTS,
    query: LIST,
    answers: ok('runs, and the cursor of the next page if there is one'),
    handle: async ({ runs, query: { label, limit = DEFAULT_RUNS, ...query } }) => {
      const labels = label && Object.fromEntries(label.map(labelOf));
      return Response.json(await runs.list({ ...query, limit, ...(labels && { labels }) }));
    },
  }),
  route({
    method: 'GET',
    at: '/runs/:run',
    name: 'getRun',
    does: 'A run with the state of its steps.',
    for: CLIENTS,
    path: RUN,
    answers: ok('the run'),
    handle: async ({ runs, path }) => Response.json(await runs.get(path.run)),
  }),
  route({
    method: 'DELETE',
    at: '/runs/:run',
    name: 'removeRun',
    does: 'Deletes a run that has ended, with everything it recorded.',
    for: ADMINS,
    path: RUN,
    answers: NO_CONTENT,
    handle: async ({ runs, path }) => done(runs.remove(path.run)),
  }),
  route({
    method: 'GET',
    at: '/runs/:run/result',
    name: 'getResult',
    does: 'What the run handed back. Waits up to waitMs for its end.',
    for: CLIENTS,
    path: RUN,
    query: { waitMs: WAIT },
    answers: {
      ...ok('status SUCCEEDED with value, or FAILED or CANCELLED with error'),
      202: { says: 'not ended yet' },
    },
    handle: async ({ runs, path, query: { waitMs = 0 } }) => {
      const result = await runs.result(path.run, waitMs);
      return new Response(resultJson(result), { status: isOpen(result.status) ? 202 : 200, headers: JSON_TYPE });
    },
  }),
  route({
    method: 'GET',
    at: '/runs/:run/history',
    name: 'getHistory',
    does: 'Events of the journal from an entry on. Where there are none yet, waits up to waitMs for some.',
    for: CLIENTS,
    path: RUN,
    query: HISTORY,
    answers: ok('events, the status of the run before they were read, and next, if there are more, to go on from'),
    handle: async ({ runs, path, query: { from = 0, limit = MOST_EVENTS, waitMs = 0 } }) =>
      Response.json(await runs.history(path.run, { from, limit, waitMs })),
  }),
  route({
    method: 'GET',
    at: '/runs/:run/events',
    name: 'followRun',
    does: 'The events of the journal as Server-Sent Events, until the run has ended. Last-Event-ID resumes behind one.',
    for: CLIENTS,
    path: RUN,
    answers: {
      200: { says: 'the events, with their places as ids', type: EVENT_STREAM },
      204: { says: 'nothing more will come', type: null },
    },
    handle: ({ runs, path, request }) => {
      const last = request.headers.get('last-event-id') ?? '';
      return eventStream(runs, path.run, last === '' ? undefined : placeIn(last));
    },
  }),
  route({
    method: 'GET',
    at: '/runs/:run/explain',
    name: 'explainRun',
    does: 'Says in one sentence what the run, or a step of it, waits for.',
    for: CLIENTS,
    path: RUN,
    query: { step: NAME },
    answers: ok('the sentence'),
    handle: async ({ runs, path, query }) => Response.json({ sentence: await runs.explain(path.run, query.step) }),
  }),
  route({
    method: 'GET',
    at: '/runs/:run/export',
    name: 'exportRun',
    does: 'A copy of the run with everything it recorded, as it was recorded.',
    for: CLIENTS,
    path: RUN,
    answers: ok('format fuseline-run/1'),
    handle: async ({ runs, path }) => Response.json(await runs.export(path.run)),
  }),
  ...(['cancel', 'pause', 'resume', 'retry'] as const).map((type) =>
    route({
      method: 'POST',
      at: `/runs/:run/${type}`,
      name: `${type}Run`,
      does: COMMANDS[type],
      for: CLIENTS,
      path: RUN,
      body: COMMAND,
      answers: NO_CONTENT,
      handle: async ({ runs, path, body }) => done(runs.command(path.run, { type, ...named(body.commandId) })),
    }),
  ),
  route({
    method: 'POST',
    at: '/runs/:run/steps/:step/enqueue',
    name: 'enqueueStep',
    does: 'Runs a step that has ended again, and everything that depends on it.',
    for: CLIENTS,
    path: { run: ID, step: NAME },
    body: ENQUEUE,
    answers: NO_CONTENT,
    handle: async ({ runs, path: { run, step }, body: { commandId, ...force } }) =>
      done(runs.command(run, { type: 'enqueue', step, ...force, ...named(commandId) })),
  }),
  route({
    method: 'POST',
    at: '/runs/:run/signals/:name',
    name: 'signalRun',
    does: 'Sends a message to the run; it is kept until somebody waits for it.',
    for: CLIENTS,
    path: { run: ID, name: NAME },
    body: SIGNAL,
    answers: NO_CONTENT,
    handle: async ({ runs, path: { run, name }, body: { commandId, ...given } }) =>
      done(runs.command(run, { type: 'signal', name, ...given, ...named(commandId) })),
  }),
  route({
    method: 'GET',
    at: '/workers',
    name: 'listWorkers',
    does: 'Lists the workers that live.',
    for: CLIENTS,
    answers: ok('id, name and workflows of each'),
    handle: async ({ runs }) => Response.json({ workers: await runs.workers() }),
  }),
];

function ok(says: string): Answers {
  return { 200: { says } };
}

async function done(what: Promise<void>): Promise<Response> {
  await what;
  return new Response(null, { status: 204 });
}

/** A repeat of a command with an id is harmless. */
function named(id: string | undefined): { readonly id?: string } {
  return id === undefined ? {} : { id };
}

function labelOf(text: string): readonly [name: string, value: string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function resultJson(result: RunResult): string {
  if (result.status !== 'SUCCEEDED' || result.value === undefined) return JSON.stringify(result);
  const value = jsonOf(result.value);
  return value === undefined ? '{"status":"SUCCEEDED"}' : `{"status":"SUCCEEDED","value":${value}}`;
}
