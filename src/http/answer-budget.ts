/** Characters in one answer, whatever was asked: more would fill the memory of an object that answers several at once. */
export const MOST_LENGTH = 8 * 1024 * 1024;

/** The room there is in one answer. Its first part always fits, so that whoever asks on comes to an end. */
export class AnswerBudget {
  #left: number;
  #isUntouched = true;

  constructor(length: number) {
    this.#left = length;
  }

  get hasRoom(): boolean {
    return this.#isUntouched || this.#left > 0;
  }

  /** Takes so much room if there is as much. */
  take(length: number): boolean {
    const fits = this.#isUntouched || length <= this.#left;
    if (fits) this.spend(length);
    return fits;
  }

  /** Takes room for what is part of the answer in any case. */
  spend(length: number): void {
    this.#isUntouched = false;
    this.#left -= length;
  }
}
