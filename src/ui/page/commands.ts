/** Something one can do: a button, and a line of the palette. */
export interface Command {
  readonly id: string;
  readonly title: string;
  /** What stands on its button, where the title is too long for it. */
  readonly label?: string;
  /** Single key, where it has one. */
  readonly key?: string;
  /** Why it cannot be done now; `undefined` if it can. */
  readonly unavailable?: string;
  readonly run: () => void | Promise<void>;
}

/** The commands whose titles have all words of a query, in their order. */
export function matching(commands: readonly Command[], query: string): readonly Command[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter(({ title }) => words.every((word) => title.toLowerCase().includes(word)));
}

export function because(unavailable: string | undefined): { readonly unavailable?: string } {
  return unavailable === undefined ? {} : { unavailable };
}

export function unless(possible: boolean, reason: string): { readonly unavailable?: string } {
  return because(possible ? undefined : reason);
}

/** The command whose key was pressed, where it is none of what somebody types. */
export function commandOf(event: KeyboardEvent, commands: readonly Command[]): Command | undefined {
  const withControl = event.ctrlKey || event.metaKey;
  if (event.altKey || (isTyping(event) && !withControl)) return undefined;
  const pressed = withControl ? `Ctrl+${event.key.toUpperCase()}` : event.key;
  return commands.find(({ key }) => key === pressed);
}

function isTyping(event: Event): boolean {
  // The innermost one: what is in a shadow root is not told to those outside.
  const [target] = event.composedPath();
  return target instanceof HTMLElement && (target.matches('input, textarea, select') || target.isContentEditable);
}
