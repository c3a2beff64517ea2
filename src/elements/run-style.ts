export const RUN_STYLE = `
:host { container-type: inline-size; background: var(--surface); }
.run { display: grid; grid-template-rows: auto minmax(280px, 1fr) minmax(150px, 26%); height: 100%; min-height: 560px; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; padding: 12px 16px; border-bottom: 1px solid var(--line); }
h2, h3, h4 { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
h2 { font-size: 17px; letter-spacing: -0.01em; }
h3:not(.cap) { font-size: 15px; }
.cap { margin-top: 14px; font-size: 11px; color: var(--muted); letter-spacing: 0.04em; text-transform: uppercase; }
.state { display: inline-flex; align-items: center; gap: 5px; margin: 0; color: var(--ink); font-weight: 600; }
.state .sign { align-self: center; }
.facts { color: var(--muted); }
.label { padding: 0 7px; border-radius: 9px; background: var(--sunken); box-shadow: inset 0 0 0 1px var(--line); font-size: 12px; line-height: 18px; }
.labels { display: inline-flex; flex-wrap: wrap; gap: 4px; }
.explain { flex-basis: 100%; min-height: 1.4em; margin: 0; color: var(--muted); overflow-wrap: anywhere; }
.now { margin-inline-start: auto; }
.upper, .lower { display: grid; grid-template: minmax(0, 1fr) / minmax(0, 1fr) minmax(260px, 32%); min-height: 0; contain: size; }
.lower { border-top: 1px solid var(--line); }
.upper > :first-child, .lower > :first-child { border-inline-end: 1px solid var(--line); }
.tabs { display: flex; border-bottom: 1px solid var(--line); }
.tabs button { flex: 1; padding: 8px 4px; border: 0; border-radius: 0; background: none; color: var(--muted); outline-offset: -2px; }
.tabs [aria-selected='true'] { color: var(--text); font-weight: 600; box-shadow: inset 0 -2px 0 var(--accent); }
.panel { display: grid; grid-template: minmax(0, 1fr) / minmax(0, 1fr); min-height: 0; }
fuseline-graph { height: 100%; border-radius: 0; }
fuseline-timeline { height: 100%; }
.step { min-height: 0; padding: 12px 16px; overflow: auto; }
.step .state { margin-top: 2px; }
.hint { margin: 0; color: var(--muted); }
.link { padding: 0; border: 0; background: none; color: var(--accent); text-align: start; text-decoration: underline; overflow-wrap: anywhere; }
pre { margin: 4px 0 0; padding: 6px 8px; max-height: 220px; overflow: auto; background: var(--sunken); border-radius: var(--radius);
  font: 12px / 1.45 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
.error { margin-top: 4px; color: var(--failed); overflow-wrap: anywhere; }
.error p { margin: 0; }
.error summary { color: var(--muted); cursor: pointer; }
.needs { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 6px 10px; margin: 4px 0 0; }
.needs dt { font: 12px / 1.6 var(--mono); max-width: 120px; overflow: hidden; text-overflow: ellipsis; }
.needs dd { margin: 0; min-width: 0; }
.needs pre { max-height: 96px; }
.from, .none, .by { color: var(--muted); }
.from { font-size: 12px; }
.none { margin-inline-start: 6px; font-style: italic; }
.attempts { display: grid; gap: 3px; margin: 4px 0 0; padding: 0; list-style: none; }
.attempts li { display: flex; align-items: center; gap: 6px; }
.attempts .by { margin-inline-start: auto; }
.parts { display: flex; flex-direction: column-reverse; margin-top: 4px; padding: 6px 8px; max-height: 220px; overflow: auto; background: var(--sunken); border-radius: var(--radius); }
.parts ol { display: grid; gap: 3px; margin: 0; padding-inline-start: 32px; }
.parts li { font: 12px / 1.45 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
.parts li::marker { color: var(--muted); }
.signal { display: grid; justify-items: start; gap: 4px; margin-top: 8px; }
.signal label { color: var(--muted); font-size: 12px; }
.signal textarea { width: 100%; resize: vertical; font: 12px / 1.45 var(--mono); }
.answer { margin: 0; overflow-wrap: anywhere; }
.answer:empty { display: none; }
.journal { position: relative; min-height: 0; overflow: auto; outline-offset: -2px; contain: strict; }
.rows { position: relative; }
.row { position: absolute; inset: 0 0 auto 0; display: flex; align-items: center; gap: 6px; height: 22px; padding: 0 12px 0 8px; font-size: 12px;
  line-height: 22px; white-space: nowrap; cursor: pointer; contain: strict; }
.row:hover, .row.marked { background: color-mix(in srgb, var(--accent) 9%, transparent); }
.row.selected { box-shadow: inset 2px 0 0 var(--accent); }
.row[aria-selected='true'] { box-shadow: inset 3px 0 0 var(--accent); background: color-mix(in srgb, var(--accent) 12%, transparent); }
.rows .row.ahead > * { color: var(--muted); font-weight: 400; }
.seq { flex: none; width: 34px; text-align: end; color: var(--muted); font-size: 11px; }
.bracket { flex: none; align-self: stretch; width: 5px; border-inline-start: 1.5px solid var(--edge); }
.row.first .bracket { margin-top: 4px; border-top: 1.5px solid var(--edge); }
.row.last .bracket { margin-bottom: 4px; border-bottom: 1.5px solid var(--edge); }
.at { flex: none; width: 54px; color: var(--muted); text-align: end; }
.type { flex: none; min-width: 64px; font-weight: 600; }
.row[data-type='succeeded'] .type { color: var(--succeeded); }
.row[data-type='failed'] .type { color: var(--failed); }
.row[data-type='claimed'] .type { color: var(--running); }
.row:is([data-type='retrying'], [data-type='falling-back'], [data-type='refused'], [data-type='lost'], [data-type='released'], [data-type='cancelled'], [data-type='offline']) .type { color: var(--lost); }
.about:empty { display: none; }
.about { overflow: hidden; text-overflow: ellipsis; }
.row .detail { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; color: var(--muted); }
@container (max-width: 720px) {
  .run { display: block; }
  .upper, .lower { display: block; contain: none; border: 0; }
  .upper > :first-child, .lower > :first-child { border: 0; }
  .graph-panel, .journal-panel { height: 420px; }
  .timeline-panel { max-height: 420px; }
}
@media (forced-colors: active) {
  .tabs [aria-selected='true'] { border-bottom: 2px solid Highlight; }
  .row:hover, .row.marked, .row[aria-selected='true'] { box-shadow: inset 3px 0 0 var(--accent); outline: 1px solid Highlight; outline-offset: -1px; }
}
`;
