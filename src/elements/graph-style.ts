export const GRAPH_STYLE = `
:host { position: relative; height: 420px; background: var(--sunken); border-radius: var(--radius); overflow: hidden; contain: strict; }
.view { position: absolute; inset: 0; overflow: hidden; cursor: grab; touch-action: pan-y; outline-offset: -2px; }
.view:active { cursor: grabbing; }
.scene { position: absolute; inset: 0 auto auto 0; transform-origin: 0 0; }
.edges { position: absolute; inset: 0 auto auto 0; overflow: visible; pointer-events: none; }
.edges path { fill: none; stroke: var(--edge); stroke-width: 1.5; stroke-linejoin: round; }
.edges path[data-kind='order'], .edges path[data-kind='settled'] { stroke-dasharray: 5 4; }
.edges path[data-kind='any'] { stroke-dasharray: 1 4; stroke-linecap: round; stroke-width: 2; }
.edges path[data-state='live'] { stroke: var(--succeeded); }
.edges path[data-state='dead'] { stroke: var(--line); }
.edges path.lit { stroke: var(--accent); stroke-width: 2.5; }
.edges text { fill: var(--muted); font: 11px var(--font); text-anchor: middle; paint-order: stroke; stroke: var(--sunken); stroke-width: 4px; }
.node {
  position: absolute; inset: 0 auto auto 0; display: flex; flex-direction: column; gap: 2px; padding: 6px 10px 6px 12px;
  background: var(--raised); border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; cursor: pointer;
  contain: strict;
}
.node::before { content: ''; position: absolute; inset: 0 auto 0 0; width: 3px; background: var(--ink); }
.node[data-status='PENDING'] { border-style: dashed; }
.node[data-status='SKIPPED'] { border-style: dashed; color: var(--muted); }
.node[data-status='RUNNING'] { border-color: var(--running); }
.node[data-status='FAILED'] { border-color: var(--failed); }
.node.marked { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.node[aria-selected='true'] { border-color: var(--accent); box-shadow: 0 0 0 2px var(--accent); }
.view:focus-visible .node.active { outline: 2px solid var(--accent); outline-offset: 3px; }
.head { display: flex; align-items: center; gap: 6px; min-width: 0; }
.name { flex: 1; min-width: 0; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.count {
  flex: none; padding: 0 5px; border-radius: 8px; font-size: 11px; line-height: 14px; margin-top: 1px; color: var(--lost);
  box-shadow: inset 0 0 0 1px currentColor;
}
.rounds { color: var(--muted); }
.count:empty { display: none; }
.kind { flex: none; width: 14px; height: 14px; color: var(--muted); }
.kind svg { display: block; }
.foot { display: flex; gap: 6px; min-width: 0; font-size: 12px; line-height: 16px; color: var(--muted); white-space: nowrap; }
.word { flex: none; color: var(--ink); }
.detail { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; text-align: end; }
.node[data-status='FAILED'] .detail, .node[data-status='AWAITING'] .detail, .node[data-status='CALLING'] .detail, .node[data-status='DELAYED'] .detail { text-align: start; }
.content { flex: 1; min-height: 0; display: flex; margin-top: 2px; }
.scene:not(.with-content) .content { display: none; }
::slotted(*) { flex: 1; min-width: 0; min-height: 0; }
.scene.far .node { justify-content: center; background: color-mix(in srgb, var(--ink) 24%, var(--raised)); }
/* Too small to read, and still part of what the node is called. */
.scene.far .foot { position: absolute; clip-path: inset(50%); }
.scene.far .name { font-size: 20px; }
.scene.far .sign { width: 24px; height: 24px; }
.controls { position: absolute; inset: auto 8px 8px auto; display: flex; gap: 4px; }
.controls button { min-width: 26px; height: 26px; padding: 0 6px; color: var(--muted); }
.message { position: absolute; inset: 0; display: grid; place-content: center; }
@media (forced-colors: active) {
  .node { forced-color-adjust: none; color: CanvasText; }
  .kind { color: CanvasText; }
  .node[aria-selected='true'] { outline: 3px solid Highlight; }
  .edges path[data-state='dead'] { stroke: GrayText; }
}
`;
