import { html, nothing, type TemplateResult } from 'lit-html';
import type { RunSummary } from '../../core/views.ts';
import { countText } from '../../core/words.ts';
import { wordOf } from '../../elements/signs.ts';
import type { Command } from './commands.ts';
import { describe } from './describe.ts';
import { type FailureGroup, type Grouped, MOST_FAILED } from './failures.ts';
import type { Found } from './found-runs.ts';
import { commandButton } from './parts.ts';
import { type Filter, type Place, STATUSES } from './place.ts';

/** All that the frame around a run shows. */
export interface Frame {
  /** What is looked at: a directory, an address. */
  readonly title: string;
  readonly place: Place;
  readonly found: Found;
  readonly grouped: Grouped;
  readonly workflows: readonly string[];
  readonly commands: readonly Command[];
  readonly refusal: string | undefined;
}

export interface Acts {
  readonly run: (id: string) => void;
  readonly filter: (change: { readonly [Name in keyof Filter]: Filter[Name] | undefined }) => void;
  readonly choose: (run: string) => void;
  readonly retry: (runs: readonly string[]) => void;
}

export function topBar(frame: Frame, acts: Acts): TemplateResult {
  const { title, refusal } = frame;
  return html`<h1><span class="logo" aria-hidden="true"></span>Fuseline</h1>
    <p class="title" title=${title}>${title}</p>
    ${refusal === undefined ? nothing : html`<p class="chip" title=${refusal}>read only</p>`}
    ${button(frame, acts, 'palette')}`;
}

export function filterBar(frame: Frame, acts: Acts): TemplateResult {
  const { place, workflows } = frame;
  const grouped = place.view === 'failures';
  const named = place.workflow === undefined || workflows.includes(place.workflow);
  const offered = named ? workflows : [...workflows, place.workflow as string].sort();
  return html`<div class="views" role="group" aria-label="How runs are shown">
      ${toggle('runs', 'Runs', !grouped, acts)}${toggle('failures', 'Failures', grouped, acts)}
    </div>
    <input
      id="search"
      type="search"
      aria-label="Find a run by its id"
      placeholder="Find by id"
      autocomplete="off"
      spellcheck="false"
      maxlength="128"
      ?disabled=${grouped}
      .value=${place.search ?? ''}
      @input=${(event: InputEvent) => acts.filter({ search: (event.target as HTMLInputElement).value.trim() })}
    />
    <select
      aria-label="Status"
      ?disabled=${grouped}
      @change=${(event: Event) => acts.filter({ status: STATUSES.find((one) => one === chosen(event)) })}
    >
      <option value="" .selected=${place.status === undefined || grouped}>${grouped ? 'failed' : 'any status'}</option>
      ${STATUSES.map(
        (status) =>
          html`<option value=${status} .selected=${!grouped && place.status === status}>${wordOf(status)}</option>`,
      )}
    </select>
    <select aria-label="Workflow" @change=${(event: Event) => acts.filter({ workflow: chosen(event) })}>
      <option value="" .selected=${place.workflow === undefined}>any workflow</option>
      ${offered.map((name) => html`<option value=${name} .selected=${place.workflow === name}>${name}</option>`)}
    </select>`;
}

/** How much of what there is is seen. */
export function countLine({ place, found, grouped }: Frame): string {
  if (place.view === 'failures') {
    if (grouped.status !== 'ready') return grouped.status === 'loading' ? 'Reading what failed…' : '';
    const runs = countText(grouped.looked, 'failed run');
    return grouped.isCut
      ? `The newest ${MOST_FAILED} failed runs are grouped; there are older ones. Choose a workflow to see more of it.`
      : `${runs}, by step and error.`;
  }
  if (found.status !== 'ready') return found.status === 'loading' ? (place.search ? 'Searching…' : 'Reading…') : '';
  const count = countText(found.runs.length, 'run');
  if (found.trouble) return `${count}, as they were: nothing can be read now.`;
  if (found.rest === 'all') return `${count}, newest first.`;
  if (found.rest === 'more') return `The newest ${count}; older ones come at the end of the list.`;
  return place.search
    ? `${count} found; there may be older ones. The whole id finds any.`
    : `The newest ${count}. Filter or search to see older ones.`;
}

/** What stands where there are no runs. */
export function emptyList({ place, found }: Frame, acts: Acts): TemplateResult | typeof nothing {
  if (place.view === 'failures') return nothing;
  if (found.status === 'failed') return html`<p>The runs cannot be read: ${describe(found.error)}</p>`;
  if (found.status !== 'ready' || found.runs.length > 0) return nothing;
  const { status, workflow, search } = place;
  return status || workflow || search
    ? html`<p>No run is like that.</p>
        <button @click=${() => acts.run('clear')}>Show all</button>`
    : html`<p>Nothing has been dispatched here yet.</p>`;
}

export function failureList(frame: Frame, acts: Acts): TemplateResult {
  const { grouped } = frame;
  if (grouped.status === 'failed')
    return html`<p class="empty">The runs cannot be read: ${describe(grouped.error)}</p>`;
  if (grouped.status === 'loading') return html``;
  if (grouped.groups.length === 0) return html`<p class="empty">No run has failed.</p>`;
  return html`<ol>
    ${grouped.groups.map((group) => html`<li>${failure(group, frame, acts)}</li>`)}
  </ol>`;
}

function failure({ workflow, step, error, runs }: FailureGroup, { place, refusal }: Frame, acts: Acts): TemplateResult {
  const first = runs[0] as RunSummary;
  return html`<details ?open=${runs.some(({ id }) => id === place.run)}>
    <summary>
      <span class="count" aria-label=${countText(runs.length, 'run')}>${runs.length}</span>
      <span class="of"><b>${step ?? 'the run itself'}</b> of ${workflow}</span>
      <span class="error">${error}</span>
      <span class="when">last ${momentText(first.endedAt ?? first.createdAt)}</span>
    </summary>
    <ul>
      ${runs.map(
        ({ id }) => html`<li>
          <button class="quiet" aria-current=${id === place.run} @click=${() => acts.choose(id)}>${id}</button>
        </li>`,
      )}
    </ul>
    <button
      class="small"
      ?disabled=${refusal !== undefined}
      title=${refusal ?? 'Takes each of them up again where it ended'}
      @click=${() => acts.retry(runs.map(({ id }) => id))}
    >
      ${runs.length === 1 ? 'Retry this run' : `Retry these ${runs.length} runs`}
    </button>
  </details>`;
}

export function runBar(frame: Frame, acts: Acts): TemplateResult {
  return html`<span class="group narrow">${button(frame, acts, 'list')}</span>
    <span class="group"><span class="label">Run</span>${['pause', 'resume', 'cancel', 'retry', 'export'].map((id) => button(frame, acts, id))}</span>
    <span class="group"><span class="label">Step</span>${button(frame, acts, 'rerun')}</span>
    ${frame.refusal === undefined ? nothing : html`<p class="refusal">Read only: ${frame.refusal}.</p>`}`;
}

/** `14:03:21` of today; another day with its date. */
export function momentText(at: number): string {
  const moment = new Date(at);
  const isToday = moment.toDateString() === new Date().toDateString();
  return isToday ? moment.toLocaleTimeString() : moment.toLocaleDateString();
}

function toggle(id: 'runs' | 'failures', title: string, pressed: boolean, acts: Acts): TemplateResult {
  return html`<button aria-pressed=${pressed} @click=${() => acts.run(id)}>${title}</button>`;
}

function button({ commands }: Frame, acts: Acts, id: string): TemplateResult | typeof nothing {
  return commandButton(commands, id, acts.run);
}

function chosen(event: Event): string | undefined {
  return (event.target as HTMLSelectElement).value || undefined;
}
