import type { Undo } from './undo.ts';

/** What `first` and `after` answer at the end of a list. */
export const END = -1;

/**
 * Linked lists of steps, each step in one list at most; linking, unlinking and stepping cost the same however long they
 * are. The links stand in two arrays: a head per list comes first, which closes it to a ring, then the steps' own.
 */
export class StepLists {
  readonly #lists: number;
  readonly #undo: Undo;
  #next: Int32Array;
  #previous: Int32Array;

  constructor(steps: number, lists: number, undo: Undo) {
    this.#lists = lists;
    this.#next = new Int32Array(lists + steps);
    this.#previous = new Int32Array(lists + steps);
    this.#undo = undo;
    for (let head = 0; head < lists; head++) this.#next[head] = this.#previous[head] = head;
  }

  /** There are so many more steps. */
  grow(by: number): void {
    const [next, previous] = [this.#next, this.#previous];
    this.#next = grown(next, by);
    this.#previous = grown(previous, by);
    this.#undo.note(() => {
      this.#next = next;
      this.#previous = previous;
    });
  }

  first(list: number): number {
    return this.#stepOrEnd(this.#next[list] as number);
  }

  /** The step behind one, in the list it is in. Ask before the step is moved elsewhere. */
  after(step: number): number {
    return this.#stepOrEnd(this.#next[this.#lists + step] as number);
  }

  append(step: number, list: number): void {
    this.#link(this.#lists + step, list);
  }

  /** Inserts a step before those it `precedes`; most steps precede none. */
  insert(step: number, list: number, precedes: (other: number) => boolean): void {
    let before = list;
    for (
      let at = this.#previous[list] as number;
      at !== list && precedes(at - this.#lists);
      at = this.#previous[at] as number
    )
      before = at;
    this.#link(this.#lists + step, before);
  }

  unlink(step: number): void {
    const at = this.#lists + step;
    const previous = this.#previous[at] as number;
    const next = this.#next[at] as number;
    this.#undo.number(this.#next, previous, next);
    this.#undo.number(this.#previous, next, previous);
  }

  #link(at: number, before: number): void {
    const previous = this.#previous[before] as number;
    this.#undo.number(this.#next, previous, at);
    this.#undo.number(this.#previous, at, previous);
    this.#undo.number(this.#next, at, before);
    this.#undo.number(this.#previous, before, at);
  }

  #stepOrEnd(position: number): number {
    return position < this.#lists ? END : position - this.#lists;
  }
}

/** A longer copy. */
export function grown<A extends Int32Array | Float64Array>(array: A, by: number, fill = 0): A {
  const longer = new (array.constructor as new (length: number) => A)(array.length + by).fill(fill, array.length) as A;
  longer.set(array);
  return longer;
}
