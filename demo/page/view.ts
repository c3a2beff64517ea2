import { html, nothing, type TemplateResult } from 'lit-html';
import type { Command } from '../../src/ui/page/commands.ts';
import { commandButton } from '../../src/ui/page/parts.ts';
import { advise, sentence } from './advice.ts';
import type { App } from './app.ts';
import type { Score } from './score.ts';
import { CAPTIONS, type Rescue, tellRescue } from './story.ts';
import type { Employee } from './workforce.ts';

/** All that the frame around the runs shows. */
export interface Frame {
  readonly score: Score;
  /** Results per second. */
  readonly rate: number;
  readonly online: boolean;
  readonly paceMs: number;
  readonly employees: readonly Employee[];
  /** Workers of other windows. */
  readonly others: readonly string[];
  readonly commands: readonly Command[];
  /** Position in the story; `undefined` when it is not told. */
  readonly caption: number | undefined;
  readonly rescue: Rescue | undefined;
  /** The file whose run is looked at. */
  readonly copyOf: string | undefined;
}

export interface Acts {
  readonly run: (id: string) => void;
  readonly kill: (worker: string) => void;
  readonly hang: (worker: string) => void;
  readonly story: (caption: number | undefined) => void;
}

export function topBar(frame: Frame, acts: Acts): TemplateResult {
  const { score, rate, online, paceMs } = frame;
  return html`<h1><span class="logo" aria-hidden="true"></span>Fuseline</h1>
    <dl class="score" aria-label="Counted from the journals">
      ${figure('recorded', score.recorded, 'results recorded')}
      ${figure('lost', score.lost, 'results lost', score.lost > 0)}
      ${figure('twice', score.twice, 'recorded twice', score.twice > 0)}
      ${figure('again', score.again, 'bodies run again')}
      ${figure('queued', score.queued, 'steps in the queue')}
      ${figure('rate', rate.toFixed(rate < 10 ? 1 : 0), 'steps per second')}
    </dl>
    <p class="conditions">
      ${paceMs > 0 ? html`<span class="chip" title="The demo waits before each step; the engine does not">slowed by ${paceMs} ms per step</span>` : nothing}
      <span class="chip" data-online=${online}>${online ? 'online' : 'offline'}</span>
    </p>
    ${button(frame, acts, 'palette')}${button(frame, acts, 'story')}`;
}

export function toolBar(frame: Frame, acts: Acts): TemplateResult {
  const shown = ['dispatch', 'drop', 'kill', 'hire', 'hang', 'open-window', 'close-window', 'pace', 'reset'];
  return html`${shown.map((id) => button(frame, acts, id))}`;
}

export function runBar(frame: Frame, acts: Acts): TemplateResult {
  const ofRun = ['pause', 'resume', 'cancel', 'retry', 'export'];
  const ofStep = ['rerun', 'slow', 'flaky', 'failing'];
  if (frame.copyOf !== undefined)
    return html`<p class="copy"><span>What <b>${frame.copyOf}</b> says of a run: a copy, to look at.</span>${button(frame, acts, 'close-copy')}</p>`;
  return html`<span class="group"><span class="label">Run</span>${ofRun.map((id) => button(frame, acts, id))}</span>
    <span class="group"><span class="label">Step</span>${ofStep.map((id) => button(frame, acts, id))}</span>`;
}

export function workersPanel({ employees, others }: Frame, acts: Acts): TemplateResult {
  return html`<h2>Workers</h2>
    <ul>
      ${employees.map(
        ({ name, state, trouble }) => html`<li data-state=${state}>
          <span class="name">${name}</span>
          <span class="state">${trouble ? sentence(trouble.code, trouble.message) : state === 'working' ? 'on duty' : state}</span>
          <button class="small" @click=${() => acts.kill(name)} aria-label=${`Kill ${name}`}>kill</button>
          <button class="small" ?disabled=${state !== 'working'} @click=${() => acts.hang(name)} aria-label=${`Hang ${name} for 20 seconds`}>hang</button>
        </li>`,
      )}
      ${others.map((name) => html`<li data-state="elsewhere"><span class="name">${name}</span><span class="state">in another window</span></li>`)}
      ${employees.length + others.length === 0 ? html`<li class="empty">Nobody works here. Hire somebody, or open a window.</li>` : nothing}
    </ul>
    <p class="elsewhere"><a href="edge.html">Work for an edge</a></p>`;
}

export function storyBar({ caption, rescue, commands }: Frame, acts: Acts): TemplateResult | typeof nothing {
  const current = caption === undefined ? undefined : CAPTIONS[caption];
  if (caption === undefined || !current) return nothing;
  const offered = commands.find(({ id }) => id === current.offers);
  const told = current.id === 'kill' && rescue ? tellRescue(rescue) : current.text;
  const isLast = caption === CAPTIONS.length - 1;
  return html`<section class="story" aria-label="What you see">
    <p class="count">${caption + 1} of ${CAPTIONS.length}</p>
    <h2>${current.title}</h2>
    <p class="told">${told}</p>
    <p class="acts">
      ${offered && !(current.id === 'kill' && rescue) ? html`<button class="primary" ?disabled=${offered.unavailable !== undefined} @click=${() => acts.run(offered.id)}>${offered.title}</button>` : nothing}
      <button @click=${() => acts.story(isLast ? undefined : caption + 1)}>${isLast ? 'The page is yours' : 'Next'}</button>
      ${isLast ? nothing : html`<button class="quiet" @click=${() => acts.story(undefined)}>Skip</button>`}
    </p>
  </section>`;
}

/** In the place of a run: why there is none. */
export function whyEmpty(
  { runs, selected, route }: Pick<App, 'runs' | 'selected' | 'route'>,
  { dispatch }: { readonly dispatch: () => void },
): TemplateResult {
  if (runs.status === 'failed')
    return html`<p role="alert">${advise(runs.error)}</p>
      <p><button @click=${() => location.reload()}>Try again</button></p>`;
  if (runs.status === 'loading') return html`<p role="status">Opening the database…</p>`;
  if (selected?.status === 'missing')
    return html`<p>There is no run ${route.run} here. It may have been removed, or it lives in another browser.</p>`;
  return html`<p>Nothing has been dispatched yet. Drop photos anywhere on this page, or <button @click=${dispatch}>dispatch ten samples</button>.</p>`;
}

function figure(id: string, value: number | string, label: string, alarming = false): TemplateResult {
  return html`<div data-figure=${id} data-alarming=${alarming}><dt>${label}</dt><dd>${value}</dd></div>`;
}

function button({ commands }: Frame, acts: Acts, id: string): TemplateResult | typeof nothing {
  return commandButton(commands, id, acts.run);
}
