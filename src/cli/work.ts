import { Command, Option } from 'commander';
import type { FileStorage } from '../adapters/node-file/index.ts';
import type { EngineEvents } from '../core/engine-events.ts';
import type { Stranded } from '../core/explain.ts';
import { workerName } from '../core/ids.ts';
import { parseTimer } from '../core/keys.ts';
import { type EngineOptions, ProcessEngine } from '../core/process-engine.ts';
import { DELAYED, type RunState } from '../core/run-state.ts';
import { END } from '../core/step-lists.ts';
import type { StepStatus } from '../core/views.ts';
import { countText, durationText, stepName } from '../core/words.ts';
import { EXIT, type Exit } from './exits.ts';
import { onInterrupt } from './interrupt.ts';
import { type Exported, findWorkflows, openStorage, workerNameHere } from './open.ts';
import { type CommonOptions, isAbout, runLine, wholeNumber, withCommonOptions } from './options.ts';
import { columnsOf, json, painter, type Style, statusStyle, statusText } from './output.ts';
import { keepStdoutForJson, note, print } from './streams.ts';
import { superviseWorkers } from './supervise.ts';
import { oneLine, wrap } from './text.ts';

export interface WorkOptions extends CommonOptions {
  readonly workflow?: string;
  readonly processes: number;
  readonly concurrency?: number;
  readonly queue?: readonly string[];
  readonly stay?: true;
  /** Set for the processes a supervisor starts: it hears Ctrl-C for them. */
  readonly supervised?: true;
}

export function workCommand(finish: (exit: Exit) => void): Command {
  return withCommonOptions(new Command('work'))
    .summary('work off what is queued, in as many processes as you like')
    .description(
      'Works off queued runs of the workflows these files export, until nothing of\nthem is left to do now. Any number of such processes may share a storage; what\none leaves unfinished when it dies, the others take over.',
    )
    .argument('<files...>', 'TypeScript or JavaScript modules that export workflows')
    .option('--workflow <name>', 'only this workflow')
    .option('--processes <n>', 'so many worker processes; one that dies is started again', wholeNumber, 1)
    .option('--concurrency <n>', 'steps at once in each process', wholeNumber)
    .option('--queue <name...>', 'only these queues')
    .option('--stay', 'stay and wait for more')
    .addOption(new Option('--supervised').hideHelp())
    .addHelpText(
      'after',
      `
With --json, lines of { event, worker, at, … }, the last one from each worker
with event "done" and { attempts, stranded }. What steps print goes to stderr.
The first Ctrl-C (or SIGTERM) lets the steps under way finish, the second leaves
at once. With --stay, a worker that was drained ends with 0.`,
    )
    .action(async (files: string[], options: WorkOptions) => finish(await work(files, options)));
}

async function work(files: readonly string[], options: WorkOptions): Promise<Exit> {
  if (options.json) keepStdoutForJson();
  const workflows = await findWorkflows(files, options.workflow);
  const mode = options.stay ? 'made' : 'existing';
  if (options.processes > 1) {
    await openStorage(options.storage, mode).close();
    return superviseWorkers(files, options);
  }
  const storage = openStorage(options.storage, mode);
  try {
    return await new WorkerProcess(workflows, storage, options).work();
  } finally {
    await storage.close();
  }
}

/** How long a worker that has nothing to do waits before it looks whether others left something for it. */
const LOOK_MS = 200;
/** Where what happened begins, behind its sign. */
const INDENT = 13;
/** So many of the runs that are due next are looked at. */
const TIMERS = 64;

/** An attempt may end and its step go on. */
const ENDS: Readonly<Record<EngineEvents['finished']['outcome'], readonly [status: StepStatus, words: string]>> = {
  succeeded: ['SUCCEEDED', ''],
  skipped: ['SKIPPED', ''],
  sleeping: ['PENDING', 'sleeps now'],
  again: ['PENDING', 'a round ended'],
  called: ['PENDING', 'its workflow runs'],
  spread: ['PENDING', 'its items follow'],
  offline: ['FAILED', ''],
  failed: ['FAILED', ''],
};

class WorkerProcess {
  readonly #name = workerNameHere();
  readonly #workflows: readonly Exported[];
  readonly #storage: FileStorage;
  readonly #options: WorkOptions;
  readonly #engine: ProcessEngine;
  readonly #paint = painter(process.stderr);
  /** Told already. */
  readonly #stranded = new Set<string>();
  /** Runs of which a step failed here. */
  readonly #failed = new Set<string>();
  /** Everything said so far that took a look at the storage. */
  #told: Promise<void> = Promise.resolve();
  #attempts = 0;
  #draining = false;
  #wake: (() => void) | undefined;

  constructor(workflows: readonly Exported[], storage: FileStorage, options: WorkOptions) {
    const { concurrency, queue } = options;
    this.#workflows = workflows;
    this.#storage = storage;
    this.#options = options;
    const engine: EngineOptions = {
      name: this.#name,
      ...(concurrency !== undefined && { concurrency }),
      ...(queue && { queues: queue }),
    };
    this.#engine = new ProcessEngine(workflows, storage, engine);
  }

  async work(): Promise<Exit> {
    this.#report();
    const stopHearing = this.#hearTheEnd();
    try {
      // What was said to this process while it started is heard before it begins anything.
      await new Promise(setImmediate);
      const stranded = this.#draining ? [] : await (this.#options.stay ? this.#stay() : this.#untilNothingIsLeft());
      await this.#told;
      if (this.#options.json) this.#tell('done', { attempts: this.#attempts, stranded });
      else {
        await this.#sayFailed();
        note(`${this.#name} done: ${countText(this.#attempts, 'attempt')}`);
      }
      if (this.#draining) return this.#options.stay ? EXIT.ok : EXIT.interrupted;
      return stranded.length > 0 ? EXIT.stranded : EXIT.ok;
    } finally {
      stopHearing();
    }
  }

  async #stay(): Promise<readonly Stranded[]> {
    const end = new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      this.#engine.on('error', ({ error, fatal }) => fatal && reject(error));
    });
    await Promise.all([end, this.#engine.start()]);
    await this.#engine.stop({ drain: true });
    return [];
  }

  /** What others are working on, and what is to be tried again, may need this worker yet: it looks until that is over. */
  async #untilNothingIsLeft(): Promise<readonly Stranded[]> {
    for (;;) {
      const { stranded } = await this.#engine.work();
      if (this.#draining || !(await this.#isAnythingMoving())) return stranded;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (this.#draining) return stranded;
    }
  }

  /** Somebody holds a claim, or an attempt that failed has another one to come. */
  async #isAnythingMoving(): Promise<boolean> {
    const names = new Set(this.#workflows.map(({ name }) => name));
    const runs = new Set(await this.#storage.sessions.runsHeldByOthers(undefined));
    for (const row of await this.#storage.timerRows(TIMERS)) runs.add(parseTimer(row).run);
    for (const run of runs) {
      if (await this.#moves(run, names)) return true;
    }
    return false;
  }

  async #moves(run: string, workflows: ReadonlySet<string>): Promise<boolean> {
    try {
      const isOurs = (state: RunState) => workflows.has(state.created.workflow);
      return (await this.#storage.peek(run, (state) => isOurs(state) && isMoving(state))) ?? false;
    } catch (error) {
      // A run that a newer version has continued is not this one's to wait for.
      if (isAbout(error, 'PROTOCOL_TOO_NEW')) return false;
      throw error;
    }
  }

  #hearTheEnd(): () => void {
    const drain = (): void => {
      if (this.#draining) return;
      this.#draining = true;
      void this.#engine.stop({ drain: true });
      this.#wake?.();
    };
    if (!this.#options.supervised) {
      return onInterrupt({
        drain() {
          note('draining: the steps under way may finish; Ctrl-C again leaves at once');
          drain();
        },
        leave: () => note('left; what was under way is done again by the next worker'),
      });
    }
    // The terminal sends Ctrl-C to all of them; the supervisor says what it means.
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore);
    process.on('SIGTERM', drain);
    // The supervisor tells people when all have heard it. It may be gone by then.
    const told = (): void => {
      drain();
      process.send?.('heard', undefined, undefined, () => undefined);
    };
    process.on('message', told);
    process.on('disconnect', drain);
    return () => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', drain);
      process.off('message', told);
      process.off('disconnect', drain);
      if (process.connected) process.disconnect();
    };
  }

  #report(): void {
    const engine = this.#engine;
    engine.on('started', (event) => {
      this.#attempts++;
      this.#say('started', event, statusText('RUNNING'), 'cyan', attemptOf(event));
    });
    engine.on('finished', (event) => {
      const [status, words] = ENDS[event.outcome];
      if (status === 'FAILED') this.#failed.add(event.run);
      const detail = [attemptOf(event), durationText(event.ms), words, event.error?.message ?? ''];
      this.#say(
        'finished',
        event,
        statusText(status),
        statusStyle(status),
        detail.filter((one) => one !== '').join(', '),
      );
    });
    engine.on('stale', (event) => this.#say('stale', event, '! STALE', 'yellow', 'its claim had been taken back'));
    engine.on('slow', (event) => this.#say('slow', event, '! SLOW', 'yellow', `for ${durationText(event.ms)}`));
    engine.on('stranded', (event) => {
      const key = JSON.stringify([event.run, event.step]);
      if (this.#stranded.has(key)) return;
      this.#stranded.add(key);
      this.#told = this.#told.then(() => this.#sayStranded(event));
    });
    engine.on('worker-lost', (event) =>
      this.#sayLine('worker-lost', event, `worker ${workerName(event.worker)} died; its steps are taken over`),
    );
    engine.on('disowned', (event) =>
      this.#sayLine('disowned', event, 'others took this worker for dead; it goes on under a new id'),
    );
    engine.on('log', (event) =>
      this.#sayLine(
        'log',
        event,
        `${event.run} ${event.step}: ${event.message}${event.details === undefined ? '' : ` ${json(event.details)}`}`,
      ),
    );
    engine.on('error', (event) => this.#sayLine('error', event, String(event.error)));
  }

  /** The runs that ended so, and what to do about them. */
  async #sayFailed(): Promise<void> {
    for (const run of this.#failed) {
      const ended = await this.#storage.peek(run, (state) => state.ended);
      if (ended !== 'FAILED') continue;
      note(`${this.#paint(statusStyle(ended), statusText(ended).padEnd(11))}  ${run}`);
      note(`  Why:                 ${runLine('why', this.#options, run)}`);
      note(`  To take it up again: ${runLine('retry', this.#options, run)}`);
    }
  }

  async #sayStranded(event: Stranded): Promise<void> {
    const why = await this.#storage.explain(event.run, event.step).catch(String);
    this.#sayLine('stranded', { ...event, explain: why }, `! STRANDED  ${event.run}: ${why}`);
  }

  #say(
    event: keyof EngineEvents,
    what: { readonly run: string; readonly step: string; readonly item?: number },
    sign: string,
    style: Style,
    detail: string,
  ): void {
    if (this.#options.json) return this.#tell(event, what);
    const step = stepName(what.step, what.item);
    const [first = '', ...more] = this.#wrapped(`${what.run}  ${step}  ${detail}`.trimEnd(), INDENT);
    note(`${this.#paint(style, sign.padEnd(INDENT - 2))}  ${first}`);
    for (const line of more) note(' '.repeat(INDENT) + line);
  }

  #sayLine(event: keyof EngineEvents, what: object, text: string): void {
    if (this.#options.json) this.#tell(event, what);
    else for (const line of this.#wrapped(text, 0)) note(line);
  }

  /** In lines of the terminal, broken between words; this worker's name comes last. */
  #wrapped(text: string, indent: number): readonly string[] {
    const all = wrap(`${oneLine(text)}  ${this.#name}`, columnsOf(process.stderr) - indent);
    const last = all.pop() ?? '';
    const at = Math.max(0, last.length - this.#name.length);
    return [...all, last.slice(0, at) + this.#paint('dim', last.slice(at))];
  }

  #tell(event: string, what: object): void {
    print(json({ event, worker: this.#name, at: Date.now(), ...what }));
  }
}

function isMoving(state: RunState): boolean {
  if (state.firstRunning() !== END) return true;
  // A step that was never tried waits for the time its run was asked to start at, which may be far off; as may be the
  // end of one that sleeps or waits for a signal.
  return (
    !state.paused && state.status.some((status, step) => status === DELAYED && (state.attempt[step] as number) > 0)
  );
}

function attemptOf({ attempt }: { readonly attempt: number }): string {
  return attempt > 1 ? `attempt ${attempt}` : '';
}
