import type { SignalLinkTerms } from '../adapters/http/signal-link.ts';
import { FuselineError } from '../core/errors.ts';
import { jsonOf } from './json-of.ts';
import { html, linkPage } from './link-page.ts';
import { TEXT } from './requests.ts';
import { type Answers, type Route, route } from './route.ts';
import { isOpen } from './run-service.ts';
import { proofOf } from './secrets.ts';
import type { Service } from './service.ts';

const PAGE = 'text/html';

/** What whoever has a link can do. To look is nothing: whatever shows previews of mail, or searches it, looks. */
export const LINK_ROUTES: readonly Route[] = [
  linkRoute({
    method: 'GET',
    name: 'getLink',
    does: 'A page that says what the link does, with a button that does it. Changes nothing.',
    answers: { 200: { says: 'the page', type: PAGE } },
    async handle(link, runs) {
      const { workflow, status, signals } = await runs.get(link.run);
      const id = await commandIdOf(link);
      if (signals.some((one) => one.id === id)) throw usedError();
      if (!isOpen(status)) throw endedError(link);
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

function endedError({ run }: SignalLinkTerms): FuselineError {
  return new FuselineError('RUN_FINISHED', `run ${run} has ended, so there is nobody to tell`);
}
