import { type Command, decide, type HeldFence, type Verdict } from './decide.ts';
import { FuselineError } from './errors.ts';
import { type Created, type JournalEntry, PROTOCOL, type Stored } from './events.ts';
import { type CompiledGraph, compileGraph, type Graph } from './graph.ts';
import type { Host } from './host.ts';
import { keys, under } from './keys.ts';
import { factsOf, headChanged, headOf, NO_FACTS, parseHead, type RunFacts, rowChanges } from './rows.ts';
import { RunState } from './run-state.ts';
import type { Batch, Entry, Key, Store, Version } from './store.ts';

/** Longer texts stand in rows of their own, so that folding and scanning never drag them along. */
export const INLINE_LENGTH = 4096;

const PAGE = 1000;

export interface RunLogPorts {
  readonly store: Store;
  readonly host: Host;
  readonly graphs: Map<string, CompiledGraph>;
  /** Hears what this process wrote, an entry and other rows: somebody beside it may wait for them. */
  readonly wrote: (entry: Key, rows: readonly Key[]) => void;
}

export interface Birth {
  readonly graph: CompiledGraph;
  readonly input: string;
  readonly created: Omit<Created, 'type' | 'input' | 'graph'>;
  readonly start: Extract<Command, { type: 'start' }>;
}

/**
 * Takes from a run what its caller needs, at the moment the answer is given: the state moves on with the journal, and
 * while a decision is under way it holds things that may not become true.
 */
export type Reader<T> = (state: RunState, verdict: Verdict) => T;

export type EntryListener = (state: RunState, entry: JournalEntry, seq: number) => void;

/** Of a value that is too large for its event, for rows of their own. */
export type Pieces = readonly { readonly name: string; readonly value: string }[];

interface Waiting {
  readonly command: Command;
  readonly pieces: Pieces;
  /** The row of the errand that is done by it. */
  readonly errand: Key | undefined;
  readonly answer: (state: RunState, verdict: Verdict) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One run as this process knows it: its fold, and the one door through which it is changed. Commands that arrive in the
 * same tick, or while a commit is in flight, are decided together and become one entry.
 */
export class RunLog {
  readonly id: string;
  readonly #ports: RunLogPorts;
  readonly #listeners = new Set<EntryListener>();
  #waiting: Waiting[] = [];
  #busy: Promise<void> | undefined;
  #state: RunState | undefined;
  #facts: RunFacts = NO_FACTS;
  #incarnation = '';
  /**
   * The first entry, which every commit expects to be there still: it goes when the run is removed, and with it
   * everything that somebody may still decide on an old fold.
   */
  #birth: { readonly key: Key; readonly version: Version } | undefined;
  /** The last entry the listeners have heard: a fold that is made anew tells them nothing twice. */
  #told = -1;
  /** The entry this process is writing, or wrote last: a hint about it is no news. */
  #written: Key = '';

  constructor(id: string, ports: RunLogPorts) {
    this.id = id;
    this.#ports = ports;
  }

  get isIdle(): boolean {
    return this.#listeners.size === 0 && this.#busy === undefined;
  }

  /** How much of it is kept: the steps of its fold. */
  get steps(): number {
    return this.#state?.steps.length ?? 0;
  }

  get incarnation(): string {
    return this.#incarnation;
  }

  /** Says something to the run. Rejects with `UNKNOWN_RUN` if there is none. */
  submit<T>(command: Command, read: Reader<T>, pieces: Pieces = [], errand?: Key): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        command,
        pieces,
        errand,
        answer: (state, verdict) => resolve(read(state, verdict)),
        reject,
      });
      this.#busy ??= this.#work();
    });
  }

  /** Looks at the run after everything anybody appended; `undefined` if there is no such run. */
  look<T>(read: (state: RunState, incarnation: string) => T): Promise<T | undefined> {
    return this.#exclusive(async () => {
      if ((await this.#load()) === 'known') await this.#readNews();
      return this.#state && read(this.#state, this.#incarnation);
    });
  }

  /** Looks at the run as this process knows it; reads only where it does not. */
  recall<T>(read: (state: RunState) => T): Promise<T | undefined> {
    return this.#exclusive(async () => {
      await this.#load();
      return this.#state && read(this.#state);
    });
  }

  /** The run as it was last folded here; `undefined` where nothing is known. What is being decided may be in it. */
  known<T>(read: (state: RunState) => T): T | undefined {
    return this.#state && read(this.#state);
  }

  /** Whether a hint about one of its entries may mean that somebody else changed the run. */
  mayConcern(entry: Key): boolean {
    return this.#state === undefined || entry !== this.#written;
  }

  /** Makes the run. `undefined` if there is one with this id already, or `errand`, which this does, is there no more. */
  create<T>(birth: Birth, read: Reader<T>, errand?: Entry): Promise<T | undefined> {
    return this.#exclusive(() => this.#create(birth, read, errand));
  }

  /** Hears of every entry, whoever appended it, once it is durable and this process has read it. */
  listen(listener: EntryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A text as an event keeps it, and what has to be put beside the event. The run need not be known yet. */
  stow(text: string): { readonly stored: Stored; readonly pieces: Pieces } {
    if (text.length <= INLINE_LENGTH) return { stored: text, pieces: [] };
    const row = this.#ports.host.id();
    const size = this.#ports.store.limits.valueLength;
    const pieces: { name: string; value: string }[] = [];
    for (let at = 0; at < text.length; at += size) {
      const name = `${row}/${String(pieces.length).padStart(6, '0')}`;
      pieces.push({ name, value: text.slice(at, at + size) });
    }
    return { stored: { row, length: text.length }, pieces };
  }

  async fetch(stored: Stored): Promise<string> {
    if (typeof stored === 'string') return stored;
    const rows = await this.#ports.store.scan(under(`${keys.value(this.id, this.#incarnation, stored.row)}/`));
    const text = rows.map(({ value }) => value).join('');
    if (text.length === stored.length) return text;
    throw new FuselineError(
      'STORAGE_CORRUPT',
      `a value of run ${this.id} has ${text.length} of its ${stored.length} characters`,
    );
  }

  /** The journal from an entry on. */
  async entries(from: number, limit: number = PAGE): Promise<Page> {
    return parsed(await this.#rows(from, limit), from);
  }

  #rows(from: number, limit: number): Promise<readonly Entry[]> {
    const { to } = under(`entry/${this.id}/${this.#incarnation}/`);
    return this.#ports.store.scan({ from: keys.entry(this.id, this.#incarnation, from), to, limit });
  }

  async #work(): Promise<void> {
    // Everything that finishes in this tick belongs to the same turn.
    await null;
    while (this.#waiting.length > 0) {
      const turn = this.#waiting;
      this.#waiting = [];
      await this.#turnOrHalves(turn);
    }
    this.#busy = undefined;
  }

  /** Of what is too much for one commit a part may fit, and what does not must not fail the rest with it. */
  async #turnOrHalves(turn: readonly Waiting[]): Promise<void> {
    try {
      await this.#turn(turn);
    } catch (error) {
      const half = turn.length >> 1;
      if (half === 0 || !isTooLarge(error)) {
        for (const { reject } of turn) reject(error);
        return;
      }
      await this.#turnOrHalves(turn.slice(0, half));
      await this.#turnOrHalves(turn.slice(half));
    }
  }

  async #exclusive<T>(body: () => Promise<T>): Promise<T> {
    while (this.#busy) await this.#busy;
    const result = body();
    const goOn = () => this.#work();
    this.#busy = result.then(goOn, goOn);
    return result;
  }

  async #turn(arrived: readonly Waiting[]): Promise<void> {
    const { store, host } = this.#ports;
    let turn = arrived;
    for (let unknowns = 0, fresh = false; ; ) {
      if (!this.#state) fresh = (await this.#load()) === 'read';
      const state = this.#state;
      if (!state) throw new FuselineError('UNKNOWN_RUN', `there is no run ${JSON.stringify(this.id)}`);
      const late = turn.filter(({ command }) => isOfAnother(command, this.#incarnation));
      for (const { reject } of late) reject(removed(this.id));
      if (late.length === turn.length) return;
      if (late.length > 0) turn = turn.filter((one) => !late.includes(one));
      const commands = turn.map(({ command }) => command);
      const seq = state.seq + 1;
      state.begin();
      const { entry, verdicts } = decide(state, commands, host.now(), () => host.random());
      if (!entry) {
        state.rollback();
        // A refusal must not rest on an old fold.
        if (!fresh) {
          await this.#readNews();
          fresh = true;
          continue;
        }
        return this.#answer(turn, verdicts, state);
      }
      const facts = factsOf(this.id, state);
      const values = turn.flatMap(({ pieces }, i) => (verdicts[i]?.status === 'accepted' ? pieces : []));
      this.#written = keys.entry(this.id, this.#incarnation, seq);
      const batch = this.#batch(state, facts, entry, this.#written, values);
      turn.forEach(({ errand }, i) => {
        if (errand !== undefined && verdicts[i]?.status === 'accepted') batch.delete.push(errand);
      });
      let committed: boolean;
      try {
        committed = (await store.commit(batch)).status === 'committed';
      } catch (error) {
        // Unknown: the entry may be there. Commands know themselves again, so they are decided once more on what is.
        state.rollback();
        this.#forget();
        if (!isUnknown(error) || ++unknowns > 3) throw error;
        continue;
      }
      if (committed) {
        state.accept();
        this.#facts = facts;
        this.#answer(turn, verdicts, state);
        this.#tell(state, entry, seq);
        this.#ports.wrote(this.#written, behindFirst(batch.put));
        return;
      }
      state.rollback();
      await this.#readNews();
      fresh = true;
    }
  }

  #answer(turn: readonly Waiting[], verdicts: readonly Verdict[], state: RunState): void {
    turn.forEach(({ answer }, i) => answer(state, verdicts[i] as Verdict));
  }

  #tell(state: RunState, entry: JournalEntry, seq: number): void {
    if (seq <= this.#told) return;
    this.#told = seq;
    for (const listener of [...this.#listeners]) listener(state, entry, seq);
  }

  #batch(
    state: RunState,
    facts: RunFacts,
    entry: JournalEntry,
    key: Key,
    values: Pieces,
  ): Batch & { put: { key: Key; value: string }[]; delete: Key[] } {
    const rows = rowChanges(this.id, state, this.#facts, facts);
    const put = [{ key, value: JSON.stringify(entry) }, ...rows.put];
    put.push(...this.#values(this.#incarnation, values));
    if (headChanged(this.#facts, facts))
      put.push({ key: keys.head(this.id), value: JSON.stringify(headOf(state, this.#incarnation)) });
    const expect = [{ key, version: undefined }, ...(this.#birth ? [this.#birth] : [])];
    return { expect, put, delete: [...rows.delete] };
  }

  #values(incarnation: string, pieces: Pieces): { key: Key; value: string }[] {
    return pieces.map(({ name, value }) => ({ key: keys.value(this.id, incarnation, name), value }));
  }

  async #create<T>(
    { graph, input, created, start }: Birth,
    read: Reader<T>,
    errand: Entry | undefined,
  ): Promise<T | undefined> {
    const { store, host, graphs } = this.#ports;
    if (this.#state) return undefined;
    const incarnation = host.id();
    const { stored, pieces } = this.stow(input);
    const state = new RunState(graph, { type: 'created', ...created, graph: graph.hash, input: stored }, host.now());
    const { entry, verdicts } = decide(state, [start], state.createdAt, () => host.random());
    const facts = factsOf(this.id, state);
    const first = keys.entry(this.id, incarnation, 0);
    const rows = rowChanges(this.id, state, NO_FACTS, facts);
    const put = [{ key: first, value: JSON.stringify(entry) }, ...rows.put, ...this.#values(incarnation, pieces)];
    const head = keys.head(this.id);
    // Nobody looks before whether there is one: an id is hardly ever given twice, and the commit finds out.
    const result = await store.commit({
      expect: [{ key: head, version: undefined }, ...(errand ? [errand] : [])],
      put: [
        ...put,
        { key: head, value: JSON.stringify(headOf(state, incarnation)) },
        { key: keys.time(state.createdAt, this.id), value: '' },
        ...(graphs.has(graph.hash) ? [] : [{ key: keys.graph(graph.hash), value: graph.text }]),
      ],
      delete: errand ? [...rows.delete, errand.key] : rows.delete,
    });
    if (result.status === 'conflict') return undefined;
    graphs.set(graph.hash, graph);
    this.#incarnation = incarnation;
    this.#told = -1;
    this.#birth = { key: first, version: result.version };
    this.#state = state;
    this.#facts = facts;
    const answer = read(state, verdicts[0] as Verdict);
    this.#tell(state, entry as JournalEntry, 0);
    this.#ports.wrote(first, behindFirst(put));
    return answer;
  }

  /** Makes sure there is a fold, if there is a run. */
  async #load(): Promise<'known' | 'read' | 'none'> {
    const { store } = this.#ports;
    if (this.#state) return 'known';
    this.#forget();
    const [head] = await store.read([keys.head(this.id)]);
    if (!head) return 'none';
    const { incarnation, graph } = parseHead(head.value);
    if (incarnation !== this.#incarnation) this.#told = -1;
    this.#incarnation = incarnation;
    const [birth, ...news] = await this.#rows(0, PAGE + 1);
    // Removed between the two reads.
    if (birth?.key !== keys.entry(this.id, incarnation, 0)) return this.#load();
    const first = JSON.parse(birth.value) as JournalEntry;
    const [created] = first.events;
    if (created?.type !== 'created')
      throw new FuselineError('STORAGE_CORRUPT', `the journal of run ${this.id} does not begin with its creation`);
    this.#refuseNewer(first);
    this.#birth = birth;
    const state = new RunState(await this.#graph(graph), created, first.at);
    state.fold(first, 0);
    this.#state = state;
    await this.#readNews(parsed(news, 1));
    return this.#state ? 'read' : 'none';
  }

  /** `first`: the page that was read already. */
  async #readNews(first?: Page): Promise<void> {
    const state = this.#state;
    if (!state || !this.#birth) return;
    for (let read = first; ; read = undefined) {
      const page = read ?? (await this.entries(state.seq + 1));
      // After the page: what it says was so while the run was there.
      const [birth] = page.length < PAGE ? await this.#ports.store.read([this.#birth.key]) : [this.#birth];
      if (birth?.version !== this.#birth.version) return this.#forget();
      for (const { seq, entry } of page) {
        this.#refuseNewer(entry);
        state.fold(entry, seq);
        this.#tell(state, entry, seq);
      }
      if (page.length < PAGE) break;
    }
    this.#facts = factsOf(this.id, state);
  }

  async #graph(hash: string): Promise<CompiledGraph> {
    const { store, graphs } = this.#ports;
    const known = graphs.get(hash);
    if (known) return known;
    const [row] = await store.read([keys.graph(hash)]);
    if (!row) throw new FuselineError('STORAGE_CORRUPT', `run ${this.id} refers to graph ${hash}, which is not stored`);
    const graph = compileGraph(JSON.parse(row.value) as Graph);
    graphs.set(hash, graph);
    return graph;
  }

  #refuseNewer({ protocol }: JournalEntry): void {
    if (protocol <= PROTOCOL) return;
    this.#forget();
    throw new FuselineError(
      'PROTOCOL_TOO_NEW',
      `run ${this.id} was continued by a newer version of Fuseline (protocol ${protocol}, this one knows ${PROTOCOL}); it is left alone, upgrade this process to work on it`,
    );
  }

  #forget(): void {
    this.#state = undefined;
    this.#facts = NO_FACTS;
  }
}

type Page = readonly { readonly seq: number; readonly entry: JournalEntry }[];

function parsed(rows: readonly Entry[], from: number): Page {
  return rows.map(({ value }, i) => ({ seq: from + i, entry: JSON.parse(value) as JournalEntry }));
}

/** Whether a claim is of a run that was removed: in this one the same fence may be somebody else's. */
function isOfAnother(command: Command, incarnation: string): boolean {
  const claims: readonly HeldFence[] = 'claims' in command ? command.claims : 'claim' in command ? [command.claim] : [];
  return claims.some((claim) => claim.incarnation !== undefined && claim.incarnation !== incarnation);
}

function removed(run: string): FuselineError {
  return new FuselineError('UNKNOWN_RUN', `run ${JSON.stringify(run)} was removed, and what has its id now is another`);
}

const NO_KEYS: readonly Key[] = [];

function behindFirst(put: readonly { readonly key: Key }[]): readonly Key[] {
  return put.length > 1 ? put.slice(1).map(({ key }) => key) : NO_KEYS;
}

/** Whether the commit may have happened. */
function isUnknown(error: unknown): boolean {
  return error instanceof FuselineError && error.code === 'STORAGE_FAILED';
}

function isTooLarge(error: unknown): boolean {
  return error instanceof FuselineError && error.code === 'VALUE_TOO_LARGE';
}
