import type { Browser, Tab } from './browser.ts';
import type { Note, Site } from './site.ts';

export const KINDS = ['close', 'navigate', 'renderer SIGKILL', 'Worker terminate', 'whole browser SIGKILL'] as const;
export type Kind = (typeof KINDS)[number];

/** What was done to tabs that held claims: the attempts whose bodies had begun and not ended. */
export interface Blow {
  readonly kind: Kind;
  readonly at: number;
  readonly held: readonly string[];
}

/** A place for a worker: in a page, or in a dedicated Worker of it. */
interface Post {
  readonly place: 'page' | 'Worker';
  readonly number: number;
  lives: number;
  tab: Tab | undefined;
  who: string;
}

export const attemptOf = ({ run, step, attempt }: Pick<Note, 'run' | 'step' | 'attempt'>): string =>
  `${run}/${step}/${attempt}`;

const PLACES = ['page', 'Worker', 'page', 'Worker'] as const;

/** Four tabs of one browser, each with a worker that works on until something is done to it, and then another one. */
export class Crew {
  readonly blows: Blow[] = [];
  /** Workers that died, with a claim or without. */
  deaths = 0;
  readonly #site: Site;
  readonly #browser: Browser;
  readonly #job: object;
  readonly #random: () => number;
  readonly #keepBusy: () => Promise<void>;
  readonly #posts: readonly Post[];
  readonly #comings = new Set<Promise<void>>();

  /** `job`: what a worker is told beside its name. `keepBusy`: sees to it that there is something to do. */
  constructor(site: Site, browser: Browser, job: object, random: () => number, keepBusy: () => Promise<void>) {
    this.#site = site;
    this.#browser = browser;
    this.#job = job;
    this.#random = random;
    this.#keepBusy = keepBusy;
    this.#posts = PLACES.map((place, number) => ({ place, number, lives: 0, tab: undefined, who: '' }));
    for (const post of this.#posts) this.#man(post, this.#newTab());
  }

  /** Strikes until it has hit one that holds a claim. */
  async strike(kind: Kind): Promise<void> {
    if (kind === 'whole browser SIGKILL') return this.#strikeAll(kind);
    for (;;) {
      const post = await this.#aBusyOne(kind);
      const { tab } = post;
      if (!tab) continue;
      const pid = kind === 'renderer SIGKILL' ? await tab.pid() : 0;
      const blow = this.#blow(kind, [post]);
      post.tab = undefined;
      this.deaths++;
      if (kind === 'renderer SIGKILL') process.kill(pid, 'SIGKILL');
      else if (kind === 'Worker terminate') await tab.call('terminate', post.who);
      else if (kind === 'navigate') await tab.send('Page.navigate', { url: 'about:blank' });
      if (kind === 'close' || kind === 'renderer SIGKILL') await tab.close();
      this.#man(post, this.#nextTab(kind, tab));
      if (this.#landed(blow)) return;
    }
  }

  /** The tabs are closed; what they held last is for others to find. */
  async dismiss(): Promise<void> {
    await Promise.all(this.#comings);
    await Promise.all(this.#posts.map(({ tab }) => tab?.close()));
  }

  async #strikeAll(kind: Kind): Promise<void> {
    for (;;) {
      await Promise.all(this.#comings);
      await this.#aBusyOne(kind);
      const blow = this.#blow(kind, this.#posts);
      await this.#browser.kill();
      this.deaths += this.#posts.length;
      await this.#browser.restart();
      for (const post of this.#posts) {
        post.tab = undefined;
        this.#man(post, this.#newTab());
      }
      if (this.#landed(blow)) return;
    }
  }

  #landed(blow: Blow): boolean {
    if (blow.held.length > 0) this.blows.push(blow);
    return blow.held.length > 0;
  }

  /** What is about to be done, and to whom. */
  #blow(kind: Kind, posts: readonly Post[]): Blow {
    return { kind, at: Date.now(), held: posts.flatMap(({ who }) => this.#heldBy(who)) };
  }

  #heldBy(who: string): readonly string[] {
    const held = new Set<string>();
    for (const note of this.#site.notes) {
      if (note.who !== who) continue;
      if (note.what === 'begin') held.add(attemptOf(note));
      else if (note.what === 'end') held.delete(attemptOf(note));
    }
    return [...held];
  }

  async #aBusyOne(kind: Kind): Promise<Post> {
    for (;;) {
      const busy = this.#posts.filter((post) => post.tab && suits(kind, post) && this.#heldBy(post.who).length > 0);
      const one = busy[Math.floor(this.#random() * busy.length)];
      if (one) return one;
      const noted = this.#site.nextNote();
      await this.#keepBusy();
      await noted;
    }
  }

  #newTab(): Promise<Tab> {
    return this.#browser.tab(this.#site.address);
  }

  async #nextTab(kind: Kind, tab: Tab): Promise<Tab> {
    if (kind === 'close' || kind === 'renderer SIGKILL') return this.#newTab();
    if (kind === 'navigate') await tab.goto(this.#site.address);
    return tab;
  }

  #man(post: Post, coming: Promise<Tab>): void {
    const manned = coming.then(async (tab) => {
      post.who = `${post.place} ${post.number}, life ${++post.lives}`;
      const job = { ...this.#job, who: post.who };
      if (post.place === 'page') await tab.call('work', job);
      else await tab.call('workIn', 'worker', job);
      await this.#site.noted(({ who, what }) => who === post.who && what === 'ready');
      post.tab = tab;
    });
    this.#comings.add(manned);
    void manned.finally(() => this.#comings.delete(manned));
  }
}

function suits(kind: Kind, { place }: Post): boolean {
  if (kind === 'Worker terminate') return place === 'Worker';
  // A Worker whose page is put aside for the back button is another matter: only its silence tells.
  return kind !== 'navigate' || place === 'page';
}
