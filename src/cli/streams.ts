import { stripVTControlCharacters } from 'node:util';
import { columnsOf } from './output.ts';
import { widthOf } from './text.ts';

const toStdout = process.stdout.write.bind(process.stdout);
const toStderr = process.stderr.write.bind(process.stderr);

/** What a command answers. */
export function print(text: string): void {
  toStdout(`${text}\n`);
}

/** What a person wants to know beside the answer; through the stream's own `write`, so that a live area makes room. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Steps print what they like; where stdout carries JSON, that goes to stderr. */
export function keepStdoutForJson(): void {
  process.stdout.write = toStderr as typeof process.stdout.write;
}

let reader: 'there' | 'gone' = 'there';

/** Whoever reads may leave early (`| head`); the work goes on. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (stream === process.stdout) reader = 'gone';
    });
  }
}

/** Whether anybody takes what is printed: a command that does nothing else may end. */
export function isRead(): boolean {
  return reader === 'there';
}

/** Resolves when everything written so far has been handed to the system. */
export async function flushed(): Promise<void> {
  await new Promise<void>((resolve) => void toStdout('', () => resolve()));
  await new Promise<void>((resolve) => void toStderr('', () => resolve()));
}

/** A few lines at the bottom of a terminal that are rewritten in place, while anything else is written above them. */
export class LiveArea {
  readonly #stream: NodeJS.WriteStream;
  readonly #draw: () => readonly string[];
  readonly #timer: NodeJS.Timeout;
  readonly #stdoutWrite = process.stdout.write;
  readonly #stderrWrite = process.stderr.write;
  #drawn: readonly string[] = [];
  /** Somebody wrote a line and has not ended it: drawing now would tear it. */
  #midLine = false;

  /** `stream`: stdout or stderr, a terminal. `draw`: lines that fit it. */
  constructor(stream: NodeJS.WriteStream, draw: () => readonly string[], everyMs: number) {
    this.#stream = stream;
    this.#draw = draw;
    process.stdout.write = this.#around(process.stdout, this.#stdoutWrite);
    process.stderr.write = this.#around(process.stderr, this.#stderrWrite);
    this.#timer = setInterval(() => this.redraw(), everyMs);
    this.#timer.unref();
    this.redraw();
  }

  redraw(): void {
    if (this.#midLine) return;
    const lines = this.#draw();
    if (lines.length === this.#drawn.length && lines.every((line, i) => line === this.#drawn[i])) return;
    // Over what is there, not erased first: that would flicker.
    this.#write(`${this.#backToTop()}${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
    this.#drawn = lines;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#erase();
    process.stdout.write = this.#stdoutWrite;
    process.stderr.write = this.#stderrWrite;
  }

  #around(stream: NodeJS.WriteStream, write: typeof process.stdout.write): typeof process.stdout.write {
    return ((chunk: string | Uint8Array, ...rest: []) => {
      // What goes to a file or a program moves nothing on the terminal.
      if (!stream.isTTY) return write.call(stream, chunk, ...rest);
      this.#erase();
      const accepted = write.call(stream, chunk, ...rest);
      this.#midLine = !(typeof chunk === 'string' ? chunk.endsWith('\n') : chunk.at(-1) === 10);
      this.redraw();
      return accepted;
    }) as typeof process.stdout.write;
  }

  #erase(): void {
    if (this.#drawn.length > 0) this.#write(`${this.#backToTop()}\x1b[J`);
    this.#drawn = [];
  }

  /** To the first of its lines; a terminal that was made narrower meanwhile has broken them. */
  #backToTop(): string {
    const columns = columnsOf(this.#stream);
    const rows = this.#drawn.map((line) => Math.max(1, Math.ceil(widthOf(stripVTControlCharacters(line)) / columns)));
    const up = rows.reduce((sum, one) => sum + one, 0);
    return up === 0 ? '' : `\x1b[${up}A\r`;
  }

  #write(text: string): void {
    (this.#stream === process.stdout ? toStdout : toStderr)(text);
  }
}
