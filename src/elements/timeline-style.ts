export const TIMELINE_STYLE = `
:host { position: relative; background: var(--surface); overflow: hidden auto; min-height: 72px; }
.frame { display: grid; grid-template-columns: clamp(64px, 14%, 112px) minmax(0, 1fr); position: relative; min-height: 100%; }
.names { position: relative; border-inline-end: 1px solid var(--line); }
/* Moved, not laid out: a lane that grows shifts nothing. */
.names div { position: absolute; inset: 0 0 auto 0; padding: 0 10px 0 8px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; line-height: 20px; contain: layout paint style; }
.names .axis { color: var(--muted); font-size: 11px; line-height: 26px; }
.plot { position: relative; min-width: 0; }
canvas { position: absolute; inset: 0 auto auto 0; display: block; touch-action: pan-y; }
.slider { position: absolute; inset: 0 0 auto 0; height: 26px; cursor: ew-resize; touch-action: none; outline-offset: -2px; }
.knob {
  position: absolute; inset: 14px auto auto 0; width: 11px; height: 11px; margin-inline-start: -5.5px; border-radius: 50%;
  background: var(--accent); border: 2px solid var(--surface); pointer-events: none;
}
.tip {
  position: absolute; inset: 0 auto auto 0; z-index: 1; max-width: 300px; padding: 4px 8px; pointer-events: none;
  background: var(--raised); border: 1px solid var(--edge); border-radius: var(--radius); font-size: 12px; overflow-wrap: anywhere;
}
.inks { position: absolute; visibility: hidden; }
/* Another colour is told of by its transition. */
.inks i { transition: color 1ms; }
.attempts { contain: strict; }
.attempts [role='row'] { height: 1px; contain: strict; content-visibility: auto; }
`;
