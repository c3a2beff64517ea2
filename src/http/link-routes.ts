import type { SignalLinkTerms } from '../adapters/http/signal-link.ts';
import { FuselineError } from '../core/errors.ts';
import type { RunView } from '../core/views.ts';
import { jsonOf } from './json-of.ts';
import { html, linkPage } from './link-page.ts';
import { TEXT } from './requests.ts';
import { type Answers, type Route, route } from './route.ts';
import { isOpen } from './run-service.ts';
import { proofOf } from './secrets.ts';
import type { Service } from './service.ts';

const PAGE = 'text/html';
/** What makes links, and what dispatches runs, may have clocks of their own. */
const CLOCKS_APART_MS = 300_000;

/** What whoever has a link can do. To look is nothing: whatever shows previews of mail, or searches it, looks. */
export const LINK_ROUTES: readonly Route[] = [
  linkRoute({
    method: 'GET',
    name: 'getLink',
    does: 'A page that says what the link does, with a button that does it. Changes nothing.',
    answers: { 200: { says: 'the page', type: PAGE } },
    async handle(link, runs) {
      const { workflow } = await askedRun(link, runs);
      return linkPage(html`
<h1><bdi>${actionOf(link)}</bdi></h1>
<dl>
<dt>Workflow</dt><dd><bdi>${workflow}</bdi></dd>
<dt>Run</dt><dd>${link.run}</dd>
<dt>Sends</dt><dd><bdi>${link.signal}</bdi> <code>${jsonOf(link.text)}</code></dd>
<dt>Good until</dt><dd>${new Date(link.expires).toUTCString()}</dd>
</dl>
<p>Nothing has happened yet. The button works once.</p>
<form method="post"><button><bdi>${actionOf(link)}</bdi></button></form>
`);
    },
  }),
  linkRoute({
    method: 'POST',
    name: 'useLink',
    does: 'Sends the signal of the link, unless it, or another link of the same question, was used before.',
    answers: { 200: { says: 'a page that says so', type: PAGE } },
    async handle(link, runs) {
      const { run, signal: name, text } = link;
      await askedRun(link, runs);
      if ((await runs.signalOnce(run, { id: await commandIdOf(link), name, text })) === 'used') throw usedError();
      return linkPage(html`
<h1>Done</h1>
<p><bdi>${actionOf(link)}</bdi>: the run was told. You can close this page.</p>
`);
    },
  }),
];

interface LinkRouteSpec {
  readonly method: 'GET' | 'POST';
  readonly name: string;
  readonly does: string;
  readonly answers: Answers;
  readonly handle: (link: SignalLinkTerms, runs: Service) => Promise<Response>;
}

function linkRoute({ handle, ...spec }: LinkRouteSpec): Route {
  return route({
    ...spec,
    at: '/links/:token',
    for: 'link',
    path: { token: TEXT },
    handle: ({ link, runs }) => handle(link as SignalLinkTerms, runs),
  });
}

/** The run, where it still waits to be told. Throws what else there is to say. */
async function askedRun(link: SignalLinkTerms, runs: Service): Promise<RunView> {
  const view = await runs.get(link.run);
  // A run that was removed leaves its id to others, and takes with it what was used.
  if (view.createdAt > link.made + CLOCKS_APART_MS)
    throw new FuselineError('UNKNOWN_RUN', `the run ${link.run} this link was made for is not there any more`);
  const id = await commandIdOf(link);
  if (view.signals.some((one) => one.id === id)) throw usedError();
  if (isOpen(view.status)) return view;
  throw new FuselineError('RUN_FINISHED', `run ${link.run} has ended, so there is nobody to tell`);
}

/** Of the question, so that no other answer to it is recorded. */
async function commandIdOf({ signal, once }: SignalLinkTerms): Promise<string> {
  return `link.${await proofOf(JSON.stringify([signal, once]))}`;
}

function actionOf({ signal, action = `Send ${signal}` }: SignalLinkTerms): string {
  return action;
}

function usedError(): FuselineError {
  return new FuselineError(
    'LINK_USED',
    'this link, or another answer to the same question, was used before; nothing was sent again',
  );
}
