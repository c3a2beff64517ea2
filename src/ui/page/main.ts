/** The page: everything is put together here. */
import { html, render } from 'lit-html';
import { HttpStorage } from '../../adapters/http/index.ts';
import { defineElements } from '../../elements/index.ts';
import { type Access, askWhoAmI } from './access.ts';
import { describe } from './describe.ts';
import { openHouse } from './house.ts';

const TOKEN = 'fuseline-token';

defineElements();
const service = new URL(told('fuseline-runs'), document.baseURI);
void enter(sessionStorage.getItem(TOKEN) ?? undefined);

/** `given`: what a person has just typed. */
async function enter(token: string | undefined, given?: 'given'): Promise<void> {
  let access: Access;
  try {
    access = await askWhoAmI(service, token);
  } catch (error) {
    return wait(`${service.href} cannot be reached: ${describe(error)}`, () => void enter(token, given));
  }
  if (access.status === 'unknown') return ask(access.sentence);
  if (given && token !== undefined) sessionStorage.setItem(TOKEN, token);
  openHouse(document.body, {
    title: told('fuseline-title'),
    storage: new HttpStorage(service, token === undefined ? {} : { token }),
    refusal: access.refusal,
    leave: token === undefined ? undefined : forget,
  });
}

function ask(sentence: string): void {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const { value } = (event.target as HTMLFormElement).elements.namedItem('token') as HTMLInputElement;
    if (value.trim() !== '') void enter(value.trim(), 'given');
  };
  before(html`<form @submit=${submit}>
    <p role="status">${sentence}</p>
    <label>Token <input name="token" type="password" autocomplete="off" required /></label>
    <button class="primary">Look</button>
    <p class="hint">It is kept for as long as this tab is open. A client token looks, an admin token commands, too.</p>
  </form>`);
  document.querySelector('input')?.focus();
}

function wait(sentence: string, again: () => void): void {
  before(html`<p role="alert">${sentence}</p>
    <button class="primary" @click=${again}>Try again</button>`);
}

function before(content: unknown): void {
  render(
    html`<main class="before"><h1><span class="logo" aria-hidden="true"></span>Fuseline</h1>${content}</main>`,
    document.body,
  );
}

function forget(): void {
  sessionStorage.removeItem(TOKEN);
  location.reload();
}

/** What whoever serves the page says in its head. */
function told(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? '';
}
