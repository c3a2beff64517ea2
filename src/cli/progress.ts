import type { FileStorage } from '../adapters/node-file/index.ts';
import type { Stored } from '../core/events.ts';
import type { HistoryEvent, RunView, StepStatus } from '../core/views.ts';
import { countText, detailOf, durationText } from '../core/words.ts';
import { columnsOf, json, localTime, painter, statusStyle, statusText } from './output.ts';
import { LiveArea, note } from './streams.ts';
import { clip, oneLine } from './text.ts';

interface Seen {
  status: StepStatus;
  attempt: number;
  since: number;
  progress: string;
  /** Of a step with a list: how many items it has, and how many have ended. */
  items: number;
  ended: number;
}

const REDRAW_MS = 100;
/** Steps under way that the live area shows. */
const SHOWN = 8;

/**
 * Tells a person how a run gets on, on stderr: one line for everything that happened, and on a terminal what is under
 * way, live. Whoever works on the run, the journal says so.
 */
export class Progress {
  readonly #storage: FileStorage;
  readonly #run: string;
  readonly #steps: Map<string, Seen>;
  readonly #paint = painter(process.stderr);
  readonly #live: LiveArea | undefined;
  readonly #startedAt = performance.now();
  #heading: string;
  /** The first entry of the journal that has not been told. */
  #next: number;
  #caughtUp: Promise<void> = Promise.resolve();

  /** `from`: entries of the journal before it are known already. */
  constructor(storage: FileStorage, run: RunView, from: number) {
    this.#next = from;
    this.#storage = storage;
    this.#run = run.id;
    this.#heading = `${run.workflow} ${run.id}`;
    this.#steps = new Map(
      run.steps.map(({ name, status, attempt, since = 0, items }) => [
        name,
        { status, attempt, since, progress: '', items: items?.count ?? 0, ended: items?.ended ?? 0 },
      ]),
    );
    this.#live = process.stderr.isTTY ? new LiveArea(process.stderr, () => this.#draw(), REDRAW_MS) : undefined;
  }

  /** Tells what happens until the run has ended. */
  async follow(): Promise<void> {
    for await (const { seq } of this.#storage.watch(this.#run, { from: this.#next })) {
      if (seq >= this.#next) await this.catchUp();
    }
  }

  /** Tells what has happened by now. */
  catchUp(): Promise<void> {
    this.#caughtUp = this.#caughtUp.then(() => this.#read());
    return this.#caughtUp;
  }

  /** Says something once, and on a terminal keeps the short form of it in sight. */
  announce(text: string, inShort: string): void {
    note(text);
    this.#heading = inShort;
    this.#live?.redraw();
  }

  close(): void {
    this.#live?.close();
  }

  async #read(): Promise<void> {
    for await (const event of this.#storage.history(this.#run, { from: this.#next })) {
      this.#next = event.seq + 1;
      await this.#hear(event);
    }
  }

  async #hear(event: HistoryEvent): Promise<void> {
    // Of a list, how far it is: thousands of lines tell nobody anything.
    if ('item' in event && event.item !== undefined) return this.#hearOfItem(event);
    switch (event.type) {
      case 'ready':
      case 'rerun':
        for (const step of event.steps) this.#set(step, { status: 'PENDING' });
        return;
      case 'claimed':
        this.#set(event.step, { status: 'RUNNING', attempt: event.attempt, since: event.at, progress: '' });
        if (!this.#live) this.#tell('RUNNING', event.step, event.attempt > 1 ? `attempt ${event.attempt}` : '');
        return;
      case 'spread':
        return this.#set(event.step, { items: event.items, ended: 0, progress: countText(event.items, 'item') });
      case 'progress':
        this.#set(event.step, { progress: json(await this.#storage.load(this.#run, event.value as Stored)) });
        if (!this.#live) this.#tell('RUNNING', event.step, this.#step(event.step).progress);
        return;
      case 'succeeded':
        return this.#ended('SUCCEEDED', event.step, event.at, event.road === undefined ? '' : `chose ${event.road}`);
      case 'failed':
        return this.#ended('FAILED', event.step, event.at, event.error.message);
      case 'skipped':
      case 'cancelled': {
        const status = event.type === 'skipped' ? 'SKIPPED' : 'CANCELLED';
        for (const [i, step] of event.steps.entries()) {
          if (event.items?.[i] !== undefined) continue;
          this.#set(step, { status });
          this.#tell(status, step, event.reason);
        }
        return;
      }
      case 'offline':
      case 'retrying':
        return this.#again(
          event.step,
          `${event.error.message}; again in ${durationText(event.notBefore - Date.now())}`,
        );
      case 'falling-back':
        return this.#again(event.step, `${event.error.message}; its fallback is next`);
      case 'lost':
        return this.#again(event.step, 'its worker died; another one takes over');
      case 'released':
        return this.#again(event.step, 'its worker gave it back');
      case 'waiting':
        return this.#again(event.step, `waits ${detailOf(event, '', localTime)}`.trimEnd());
      case 'called':
        return this.#again(event.step, `runs ${event.workflow} as run ${event.child}`);
      case 'delivered':
        return this.#again(event.step, 'its signal came');
      case 'refused':
        return this.#again(event.step, `a signal was refused: ${event.error.message}`);
      case 'looped':
        return this.#again(event.step, ['a round ended', detailOf(event, '', localTime)].filter(Boolean).join(', '));
      case 'pause':
        return note('the run was paused; nothing new starts until it is resumed');
      case 'resume':
        return note('the run was resumed');
    }
  }

  #hearOfItem(event: HistoryEvent & { readonly step: string }): void {
    if (event.type !== 'succeeded' && event.type !== 'failed') return;
    const ended = this.#step(event.step).ended + 1;
    this.#set(event.step, { ended, progress: `${ended} of ${countText(this.#step(event.step).items, 'item')}` });
  }

  #ended(status: 'SUCCEEDED' | 'FAILED', step: string, at: number, detail: string): void {
    const { since, attempt } = this.#step(step);
    this.#set(step, { status });
    const took = since > 0 ? `${durationText(at - since)}${attempt > 1 ? `, attempt ${attempt}` : ''}` : '';
    this.#tell(status, step, [took, detail].filter((part) => part !== '').join(': '));
  }

  #again(step: string, why: string): void {
    this.#set(step, { status: 'PENDING' });
    this.#tell('PENDING', step, why);
  }

  #tell(status: StepStatus, step: string, detail: string): void {
    const columns = columnsOf(process.stderr);
    const head = this.#paint(statusStyle(status), statusText(status).padEnd(11));
    // A long name leaves room for what happened.
    const name = clip(oneLine(step), detail === '' ? columns - 14 : Math.floor(columns / 2));
    note(`${head}  ${clip([name, oneLine(detail)].join('  ').trimEnd(), columns - 14)}`);
  }

  #step(name: string): Seen {
    return this.#steps.get(name) ?? { status: 'PENDING', attempt: 0, since: 0, progress: '', items: 0, ended: 0 };
  }

  #set(name: string, change: Partial<Seen>): void {
    this.#steps.set(name, { ...this.#step(name), ...change });
  }

  #draw(): readonly string[] {
    const columns = columnsOf(process.stderr) - 1;
    const running = [...this.#steps].filter(([, { status }]) => status === 'RUNNING');
    const done = [...this.#steps.values()].filter(({ status }) => status !== 'PENDING' && status !== 'RUNNING').length;
    const rows = running.slice(0, Math.min(SHOWN, (process.stderr.rows ?? SHOWN) - 2)).map(([name, seen]) => {
      const { attempt, since, progress } = seen;
      const detail = [durationText(Date.now() - since), attempt > 1 ? `attempt ${attempt}` : '', progress];
      const shown = [clip(oneLine(name), Math.floor(columns / 2)), ...detail.filter((part) => part !== '')];
      const text = clip(oneLine(shown.join('  ')), columns - 13);
      return `${this.#paint('cyan', statusText('RUNNING').padEnd(11))}  ${text}`;
    });
    const took = durationText(performance.now() - this.#startedAt);
    const sum = `${done} of ${countText(this.#steps.size, 'step')} done, ${running.length} running, ${took}`;
    return [...rows, this.#paint('dim', clip(`${oneLine(this.#heading)}: ${sum}`, columns))];
  }
}
