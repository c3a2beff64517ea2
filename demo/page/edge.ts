/** The page of the edge: it dispatches to the edge that serves it, and its tab can work for it. */
import { ProcessEngine } from 'fuseline';
import { defineElements } from 'fuseline/elements';
import { HttpStorage } from 'fuseline/http';
import { html, render } from 'lit-html';
import { askWhoAmI } from '../../src/ui/page/access.ts';
import { describe } from '../../src/ui/page/describe.ts';
import { type Notice, noticeBar } from '../../src/ui/page/parts.ts';
import { gift, IN_A_TAB } from '../edge/orders.ts';

const TOKEN = 'fuseline-token';
const ORDERS = 10_000;

defineElements();
const edge = new URL('./', document.baseURI);
const name = `tab-${below(100)}`;
let notice: Notice | undefined;
let engine: ProcessEngine | undefined;

const route = new URLSearchParams(location.hash.slice(1));
void enter(route.get('token') ?? sessionStorage.getItem(TOKEN) ?? undefined);

async function enter(token: string | undefined): Promise<void> {
  try {
    const access = await askWhoAmI(edge, token);
    if (access.status === 'unknown') return ask(access.sentence);
    if (access.refusal !== undefined) return ask(`This page dispatches and works: ${access.refusal}.`);
  } catch (error) {
    return wait(`${describe(error)}. “npm run edge” serves this page from an edge.`, () => void enter(token));
  }
  if (token !== undefined) sessionStorage.setItem(TOKEN, token);
  // Out of the address, which may be shown and sent around.
  route.delete('token');
  follow();
  const storage = new HttpStorage(edge, token === undefined ? {} : { token });
  show(storage);
}

function show(storage: HttpStorage): void {
  const run = route.get('run') ?? undefined;
  const state = engine ? `works for the edge as ${name}` : 'this tab only looks';
  render(
    html`<header id="top">
        <h1><span class="logo" aria-hidden="true"></span>Fuseline at the edge</h1>
        <p class="conditions"><span class="chip" role="status" data-online=${engine !== undefined}>${state}</span></p>
        <a href="./">The demo</a>
        <button class="quiet" @click=${forget}>Forget the token</button>
      </header>
      <nav id="tools" aria-label="What you can do">
        <button class="primary" @click=${() => act(storage, dispatch)}>Order a gift</button>
        <button @click=${() => act(storage, engine ? leave : work)}>${engine ? 'Stop working' : 'Work for the edge'}</button>
        <p>The objects charge for the order and send it; a tab that works for them wraps it, this one or any other.</p>
      </nav>
      <div id="notice">${noticeBar(notice, () => say(storage, undefined))}</div>
      <main>
        <fuseline-run id="run" .storage=${storage} .run=${run} ?hidden=${run === undefined}></fuseline-run>
        <p class="empty" ?hidden=${run !== undefined}>Nothing has been ordered here yet.</p>
      </main>`,
    document.body,
  );
}

async function dispatch(storage: HttpStorage): Promise<void> {
  const orderId = below(ORDERS);
  const run = await gift.dispatch({ orderId }, { storage, labels: { order: String(orderId) } });
  route.set('run', run.id);
  follow();
}

async function work(storage: HttpStorage): Promise<void> {
  engine = new ProcessEngine(gift, storage, { name, queues: [IN_A_TAB] });
  engine.on('error', ({ error }) => say(storage, { tone: 'trouble', text: describe(error) }));
  show(storage);
  try {
    await engine.start();
  } catch (error) {
    engine = undefined;
    throw error;
  }
}

async function leave(): Promise<void> {
  const left = engine;
  engine = undefined;
  await left?.stop({ drain: true });
}

function act(storage: HttpStorage, action: (storage: HttpStorage) => Promise<void>): void {
  action(storage).then(
    () => show(storage),
    (error) => say(storage, { tone: 'trouble', text: describe(error) }),
  );
}

function say(storage: HttpStorage, news: Notice | undefined): void {
  notice = news;
  show(storage);
}

function ask(sentence: string): void {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const { value } = (event.target as HTMLFormElement).elements.namedItem('token') as HTMLInputElement;
    void enter(value.trim());
  };
  before(html`<form @submit=${submit}>
    <p role="status">${sentence}</p>
    <label>Token of an admin <input name="token" type="password" autocomplete="off" required /></label>
    <button class="primary">Enter</button>
  </form>`);
  document.querySelector('input')?.focus();
}

function wait(sentence: string, again: () => void): void {
  before(html`<p role="alert">${sentence}</p>
    <button class="primary" @click=${again}>Try again</button>
    <a href="./">The demo</a>`);
}

function before(content: unknown): void {
  render(
    html`<main class="before"><h1><span class="logo" aria-hidden="true"></span>Fuseline at the edge</h1>${content}</main>`,
    document.body,
  );
}

function forget(): void {
  sessionStorage.removeItem(TOKEN);
  location.reload();
}

function follow(): void {
  history.replaceState(null, '', route.size === 0 ? location.pathname : `#${route}`);
}

function below(limit: number): number {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return random % limit;
}
