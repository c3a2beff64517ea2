export const TIMELINE_STYLE = `
:host { position: relative; background: var(--surface); overflow: hidden auto; min-height: 72px; }
.frame { display: grid; grid-template-columns: minmax(64px, max-content) minmax(0, 1fr); position: relative; min-height: 100%; }
.names { max-width: 160px; border-inline-end: 1px solid var(--line); }
.names div { padding: 0 10px 0 8px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; line-height: 20px; }
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
`;
