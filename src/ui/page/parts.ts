import { html, nothing, type TemplateResult } from 'lit-html';
import type { Command } from './commands.ts';

/** Something went wrong, or there is something to know. */
export interface Notice {
  readonly tone: 'trouble' | 'news';
  readonly text: string;
  readonly offer?: { readonly title: string; readonly run: () => void };
}

export function noticeBar(notice: Notice | undefined, dismiss: () => void): TemplateResult | typeof nothing {
  if (!notice) return nothing;
  const { tone, text, offer } = notice;
  return html`<p class="notice" data-tone=${tone} role=${tone === 'trouble' ? 'alert' : 'status'}>
    <span>${text}</span>
    ${offer ? html`<button @click=${offer.run}>${offer.title}</button>` : nothing}
    <button class="quiet" aria-label="Dismiss" @click=${dismiss}>×</button>
  </p>`;
}

/** The button of a command; one that cannot be pressed says why. */
export function commandButton(
  commands: readonly Command[],
  id: string,
  run: (id: string) => void,
): TemplateResult | typeof nothing {
  const command = commands.find((command) => command.id === id);
  if (!command) return nothing;
  const { title, label, key, unavailable } = command;
  return html`<button
    data-command=${id}
    ?disabled=${unavailable !== undefined}
    title=${unavailable ?? (key ? `${title} (${key})` : title)}
    aria-label=${label !== undefined && !/\w/.test(label) ? title : nothing}
    @click=${() => run(id)}
  >
    ${label ?? title}
  </button>`;
}
