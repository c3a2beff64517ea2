const sheets = new Map<string, CSSStyleSheet>();

/** One sheet for all elements that use it; made in script, so that no policy for inline styles forbids it. */
export function sheetOf(css: string): CSSStyleSheet {
  const known = sheets.get(css);
  if (known) return known;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  sheets.set(css, sheet);
  return sheet;
}

/**
 * What a page may set, and what it is otherwise. Whether it is light or dark follows the page's `color-scheme`.
 * `--ink`: the colour of the status an element carries in `data-status`.
 */
export const THEME = `
:host {
  --font: var(--fuseline-font, system-ui, sans-serif);
  --mono: var(--fuseline-mono, ui-monospace, 'SF Mono', Menlo, Consolas, monospace);
  --size: var(--fuseline-size, 13px);
  --radius: var(--fuseline-radius, 6px);
  --surface: var(--fuseline-surface, light-dark(#ffffff, #15181e));
  --sunken: var(--fuseline-sunken, light-dark(#f6f7f9, #0f1115));
  --raised: var(--fuseline-raised, light-dark(#ffffff, #1c2027));
  --line: var(--fuseline-line, light-dark(#dfe3e8, #2c323c));
  --edge: var(--fuseline-edge, light-dark(#b3bbc6, #4a5362));
  --text: var(--fuseline-text, light-dark(#1b2129, #e4e8ee));
  --muted: var(--fuseline-muted, light-dark(#525d6b, #9fa9b7));
  --accent: var(--fuseline-accent, light-dark(#3457d5, #8ea6ff));
  --pending: var(--fuseline-pending, light-dark(#687382, #8d98a7));
  --running: var(--fuseline-running, light-dark(#0b68b8, #62b4ff));
  --succeeded: var(--fuseline-succeeded, light-dark(#187340, #5cc98a));
  --failed: var(--fuseline-failed, light-dark(#bf2b32, #ff7d7d));
  --lost: var(--fuseline-lost, light-dark(#9a5b00, #f0b04e));
  --quiet: var(--fuseline-quiet, light-dark(#7b8592, #7d8795));
  display: block;
  color: var(--text);
  font: 400 var(--size) / 1.4 var(--font);
  font-variant-numeric: tabular-nums;
  -webkit-text-size-adjust: 100%;
}
:host([hidden]) { display: none; }
* , *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
[data-status] { --ink: var(--pending); }
[data-status='AWAITING'], [data-status='CALLING'] { --ink: var(--accent); }
[data-status='RUNNING'] { --ink: var(--running); }
[data-status='SUCCEEDED'] { --ink: var(--succeeded); }
[data-status='FAILED'] { --ink: var(--failed); }
[data-status='DELAYED'], [data-status='CANCELLED'], [data-status='PAUSED'], [data-status='LOST'] { --ink: var(--lost); }
[data-status='SKIPPED'] { --ink: var(--quiet); }
.sign { flex: none; width: 16px; height: 16px; color: var(--ink); }
.message { margin: 0; padding: 24px; color: var(--muted); text-align: center; overflow-wrap: anywhere; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
button, textarea {
  font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: var(--radius);
  padding: 2px 8px; cursor: pointer;
}
button:hover { border-color: var(--edge); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
@media (forced-colors: active) {
  :host {
    --surface: Canvas; --sunken: Canvas; --raised: Canvas; --line: GrayText; --edge: CanvasText; --text: CanvasText;
    --muted: CanvasText; --accent: Highlight; --pending: GrayText; --running: LinkText; --succeeded: CanvasText;
    --failed: CanvasText; --lost: CanvasText; --quiet: GrayText;
  }
}
`;
