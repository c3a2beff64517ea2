import type { RuntimeStorage } from '../core/storage.ts';
import { html, say } from './dom.ts';

/** Sends the signal that a step waits for. What is being typed stays, whatever else is drawn anew. */
export class SignalForm {
  readonly #payload = html('textarea', { id: 'payload', rows: '2', spellcheck: 'false', autocomplete: 'off' });
  readonly #button = html('button', { type: 'submit' });
  readonly #answer = html('p', { class: 'answer', role: 'status' });
  readonly element: HTMLElement = html(
    'form',
    { class: 'signal', part: 'signal' },
    html('label', { for: 'payload' }, 'What it brings, as JSON; nothing if empty'),
    this.#payload,
    this.#button,
    this.#answer,
  );
  #target: { readonly storage: RuntimeStorage; readonly run: string; readonly signal: string } | undefined;

  constructor() {
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
  }

  show(storage: RuntimeStorage, run: string, signal: string): void {
    const known = this.#target;
    if (known?.storage === storage && known.run === run && known.signal === signal) return;
    this.#target = { storage, run, signal };
    this.#payload.value = '';
    say(this.#button, `Send signal ${signal}`);
    say(this.#answer, '');
  }

  async #send(): Promise<void> {
    const target = this.#target;
    if (!target) return;
    this.#button.disabled = true;
    try {
      const text = this.#payload.value.trim();
      await target.storage.signal(target.run, target.signal, text === '' ? undefined : parsed(text));
      if (this.#target !== target) return;
      this.#payload.value = '';
      say(this.#answer, 'Sent.');
    } catch (error) {
      if (this.#target === target) say(this.#answer, error instanceof Error ? error.message : String(error));
    } finally {
      this.#button.disabled = false;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`This is not JSON: ${(cause as Error).message}`, { cause });
  }
}
