import type { WriteStream } from 'node:tty';

/** A picture that is drawn over itself at the bottom of a terminal; what is said appears above it and stays. */
export class Screen {
  readonly #out: WriteStream;
  #drawn: readonly string[] = [];

  constructor(out: WriteStream) {
    this.#out = out;
  }

  draw(lines: readonly string[]): void {
    const room = Math.max(20, this.#out.columns ?? 80) - 1;
    const next = lines.map((line) => [...line].slice(0, room).join(''));
    this.#out.write(`${this.#rewind()}${next.map((line) => `${line}\n`).join('')}`);
    this.#drawn = next;
  }

  say(line: string): void {
    const picture = this.#drawn;
    this.#out.write(`${this.#rewind()}${line}\n`);
    this.#drawn = [];
    this.draw(picture);
  }

  #rewind(): string {
    return this.#drawn.length === 0 ? '' : `\x1b[${this.#drawn.length}A\r\x1b[J`;
  }
}
