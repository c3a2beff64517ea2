import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Chromium's own protocol, spoken over its pipe. Playwright keeps every page "visible", so that none is ever throttled or
 * frozen; these tests are about those that are.
 */
export class Cdp {
  readonly #to: Writable;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #rest = '';

  constructor(chromium: ChildProcess) {
    this.#to = chromium.stdio[3] as Writable;
    const from = chromium.stdio[4] as Readable;
    from.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    this.#to.on('error', () => undefined);
    chromium.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Chromium has ended'));
      this.#waiting.clear();
    });
  }

  send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = ++this.#last;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject: (cause) => reject(new Error(`${method}: ${cause.message}`)) });
      this.#to.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    });
  }

  #hear(text: string): void {
    const messages = (this.#rest + text).split('\0');
    this.#rest = messages.pop() ?? '';
    for (const message of messages) this.#answer(JSON.parse(message) as Message);
  }

  #answer({ id, result, error }: Message): void {
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (!waiting || id === undefined) return;
    this.#waiting.delete(id);
    if (error) waiting.reject(new Error(error.message));
    else waiting.resolve(result as never);
  }
}
