import type { Undo } from './undo.ts';

/** What `first` and `after` answer at the end of a list. */
export const END = -1;

/**
 * Linked lists of steps, each step in one list at most; linking, unlinking and stepping cost the same however long they
 * are. The links stand in two arrays: the steps' own come first, then a head per list that closes it to a ring.
 */
export class StepLists {
  readonly #steps: number;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #undo: Undo;

  constructor(steps: number, lists: number, undo: Undo) {
    this.#steps = steps;
    this.#next = new Int32Array(steps + lists);
    this.#previous = new Int32Array(steps + lists);
    this.#undo = undo;
    for (let head = steps; head < steps + lists; head++) this.#next[head] = this.#previous[head] = head;
  }

  first(list: number): number {
    return this.#stepOrEnd(this.#next[this.#steps + list] as number);
  }

  /** The step behind one, in the list it is in. Ask before the step is moved elsewhere. */
  after(step: number): number {
    return this.#stepOrEnd(this.#next[step] as number);
  }

  append(step: number, list: number): void {
    this.#link(step, this.#steps + list);
  }

  /** Inserts a step before those it `precedes`; most steps precede none. */
  insert(step: number, list: number, precedes: (other: number) => boolean): void {
    const head = this.#steps + list;
    let before = head;
    for (let at = this.#previous[head] as number; at !== head && precedes(at); at = this.#previous[at] as number)
      before = at;
    this.#link(step, before);
  }

  unlink(step: number): void {
    const previous = this.#previous[step] as number;
    const next = this.#next[step] as number;
    this.#undo.number(this.#next, previous, next);
    this.#undo.number(this.#previous, next, previous);
  }

  #link(step: number, before: number): void {
    const previous = this.#previous[before] as number;
    this.#undo.number(this.#next, previous, step);
    this.#undo.number(this.#previous, step, previous);
    this.#undo.number(this.#next, step, before);
    this.#undo.number(this.#previous, before, step);
  }

  #stepOrEnd(position: number): number {
    return position < this.#steps ? position : END;
  }
}
