import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumArgs, findChromium } from '../../../scripts/chromium.ts';
import { Cdp } from './cdp.ts';

interface Evaluated<T> {
  readonly result: { readonly value: T };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}

interface History {
  readonly currentIndex: number;
  readonly entries: readonly { readonly id: number; readonly url: string }[];
}

/** A Chromium of its own, with a profile on the disk. */
export class Browser {
  readonly profile: string;
  #process: ChildProcess;
  #cdp: Cdp;

  static async start(): Promise<Browser> {
    return new Browser(await mkdtemp(join(tmpdir(), 'fuseline-tabs-')));
  }

  private constructor(profile: string) {
    this.profile = profile;
    [this.#process, this.#cdp] = launch(profile);
  }

  /** A tab that comes after another one in its window hides it. */
  async tab(url: string, where: 'in-front' | 'own-window' = 'own-window', browserContextId?: string): Promise<Tab> {
    const { targetId } = await this.#cdp.send<{ targetId: string }>('Target.createTarget', {
      url: 'about:blank',
      newWindow: where === 'own-window',
      ...(browserContextId && { browserContextId }),
    });
    const { sessionId } = await this.#cdp.send<{ sessionId: string }>('Target.attachToTarget', {
      targetId,
      flatten: true,
    });
    const tab = new Tab(this.#cdp, targetId, sessionId);
    await tab.goto(url);
    return tab;
  }

  send<T>(method: string, params?: object): Promise<T> {
    return this.#cdp.send<T>(method, params);
  }

  /** Kills all of it at once, as a crash of the browser does. */
  async kill(): Promise<void> {
    const ended = this.#ended();
    process.kill(-(this.#process.pid as number), 'SIGKILL');
    await ended;
  }

  /** After `kill`. */
  async restart(): Promise<void> {
    await rm(join(this.profile, 'SingletonLock'), { force: true });
    [this.#process, this.#cdp] = launch(this.profile);
  }

  async close(): Promise<void> {
    const ended = this.#ended();
    await this.#cdp.send('Browser.close').catch(() => undefined);
    await ended;
    await rm(this.profile, { recursive: true, force: true, maxRetries: 10 });
  }

  #ended(): Promise<unknown> {
    return new Promise((resolve) => this.#process.once('close', resolve));
  }
}

export class Tab {
  readonly target: string;
  readonly #cdp: Cdp;
  readonly #session: string;

  constructor(cdp: Cdp, target: string, session: string) {
    this.#cdp = cdp;
    this.target = target;
    this.#session = session;
  }

  send<T>(method: string, params?: object): Promise<T> {
    return this.#cdp.send<T>(method, params, this.#session);
  }

  async goto(url: string): Promise<void> {
    await this.send('Page.navigate', { url });
    await this.#until(`location.href === ${JSON.stringify(url)} && 'tab' in globalThis`);
  }

  /** Goes back to the page before. */
  async back(): Promise<void> {
    const { currentIndex, entries } = await this.send<History>('Page.getNavigationHistory');
    const before = entries[currentIndex - 1] as History['entries'][number];
    await this.send('Page.navigateToHistoryEntry', { entryId: before.id });
    await this.#until(`location.href === ${JSON.stringify(before.url)} && 'tab' in globalThis`);
  }

  /** Evaluates an expression in the page and waits for the promise it may be. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send<Evaluated<T>>('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Calls what the page offers to tests. */
  call<T>(name: string, ...args: readonly unknown[]): Promise<T> {
    return this.evaluate<T>(`tab.${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`);
  }

  async close(): Promise<void> {
    await this.#cdp.send('Target.closeTarget', { targetId: this.target });
  }

  async toFront(): Promise<void> {
    await this.#cdp.send('Target.activateTarget', { targetId: this.target });
  }

  async #until(condition: string): Promise<void> {
    // While a page is being replaced it answers nothing.
    while (!(await this.evaluate<boolean>(condition).catch(() => false))) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** The process that draws this page: one that is busy when the page is, and stops the page when it is stopped. */
  async pid(): Promise<number> {
    for (;;) {
      const before = await this.#ticks();
      await this.evaluate('{ const end = performance.now() + 200; while (performance.now() < end); }');
      const after = await this.#ticks();
      const spent = [...after].map(([pid, ticks]) => [pid, ticks - (before.get(pid) ?? 0)] as const);
      const busiest = spent.filter(([, ticks]) => ticks > 0).sort(([, a], [, b]) => b - a);
      for (const [pid] of busiest) if (await this.#isDrawnBy(pid)) return pid;
    }
  }

  async #isDrawnBy(pid: number): Promise<boolean> {
    process.kill(pid, 'SIGSTOP');
    const answered = this.evaluate('1').then(() => 'answered' as const);
    const first = await Promise.race([
      answered,
      // A page that nobody has stopped takes its time to answer, too, where much else goes on.
      new Promise<'silent'>((resolve) => setTimeout(resolve, 2000, 'silent')),
    ]);
    process.kill(pid, 'SIGCONT');
    await answered;
    return first === 'silent';
  }

  /** What the renderers have spent, by process: field 14 of proc(5)'s stat, since Chromium's own figures come late. */
  async #ticks(): Promise<ReadonlyMap<number, number>> {
    const { processInfo } = await this.#cdp.send<{
      processInfo: readonly { readonly type: string; readonly id: number }[];
    }>('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer');
    const ticks = async ({ id }: { readonly id: number }): Promise<[number, number]> => {
      // One that has just ended has spent nothing.
      const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
      return [id, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[14 - 3] ?? 0)];
    };
    return new Map(await Promise.all(renderers.map(ticks)));
  }
}

function launch(profile: string): [ChildProcess, Cdp] {
  const chromium = spawn(
    findChromium() ?? '',
    [...chromiumArgs, '--headless=new', '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true },
  );
  return [chromium, new Cdp(chromium)];
}
