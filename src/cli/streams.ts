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

/** Whoever reads may leave early (`| head`); the work goes on. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** Resolves when everything written so far has been handed to the system. */
export async function flushed(): Promise<void> {
  await new Promise<void>((resolve) => void toStdout('', () => resolve()));
  await new Promise<void>((resolve) => void toStderr('', () => resolve()));
}

/** A few lines at the bottom of a terminal that are rewritten in place, while anything else is written above them. */
export class LiveArea {
  readonly #draw: () => readonly string[];
  readonly #timer: NodeJS.Timeout;
  readonly #stdoutWrite = process.stdout.write;
  readonly #stderrWrite = process.stderr.write;
  #drawn = 0;
  /** Somebody wrote a line and has not ended it: drawing now would tear it. */
  #midLine = false;

  /** `draw`: lines that fit the terminal. */
  constructor(draw: () => readonly string[], everyMs: number) {
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
    toStderr(this.#erasing() + lines.map((line) => `${line}\n`).join(''));
    this.#drawn = lines.length;
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
    toStderr(this.#erasing());
    this.#drawn = 0;
  }

  #erasing(): string {
    return this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A\r\x1b[J`;
  }
}
