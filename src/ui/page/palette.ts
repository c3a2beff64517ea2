import { html, render } from 'lit-html';
import { type Command, matching } from './commands.ts';

/** The command palette: a dialog with everything one can do, found by typing. */
export class Palette {
  readonly #dialog = document.createElement('dialog');
  readonly #commands: () => readonly Command[];
  readonly #run: (command: Command) => void;
  #query = '';
  #at = 0;

  constructor(commands: () => readonly Command[], run: (command: Command) => void) {
    this.#commands = commands;
    this.#run = run;
    this.#dialog.className = 'palette';
    this.#dialog.setAttribute('aria-label', 'Commands');
    document.body.append(this.#dialog);
  }

  open(): void {
    this.#query = '';
    this.#at = 0;
    this.#draw();
    this.#dialog.showModal();
    this.#dialog.querySelector('input')?.focus();
  }

  get #found(): readonly Command[] {
    return matching(this.#commands(), this.#query);
  }

  #draw(): void {
    const found = this.#found;
    const current = found[this.#at];
    render(
      html`<input
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant=${current ? `command-${current.id}` : ''}
          aria-label="Find a command"
          placeholder="What would you like to do?"
          autocomplete="off"
          spellcheck="false"
          .value=${this.#query}
          @input=${(event: InputEvent) => this.#type((event.target as HTMLInputElement).value)}
          @keydown=${(event: KeyboardEvent) => this.#key(event)}
        />
        <ul id="palette-list" role="listbox" aria-label="Commands">
          ${found.map(
            (command, i) => html`<li
              id=${`command-${command.id}`}
              role="option"
              aria-selected=${i === this.#at}
              aria-disabled=${command.unavailable !== undefined}
              @click=${() => this.#choose(command)}
            >
              <span>${command.title}</span>
              ${command.unavailable === undefined ? undefined : html`<small>${command.unavailable}</small>`}
              ${command.key ? html`<kbd>${command.key}</kbd>` : undefined}
            </li>`,
          )}
        </ul>
        ${found.length === 0 ? html`<p>No command has these words.</p>` : undefined}`,
      this.#dialog,
    );
    this.#dialog.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }

  #type(query: string): void {
    this.#query = query;
    this.#at = 0;
    this.#draw();
  }

  #key(event: KeyboardEvent): void {
    const found = this.#found;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      this.#at = (this.#at + step + found.length) % found.length;
      this.#draw();
    }
    const current = found[this.#at];
    if (event.key === 'Enter' && current) this.#choose(current);
  }

  #choose(command: Command): void {
    if (command.unavailable !== undefined) return;
    this.#dialog.close();
    this.#run(command);
  }
}
