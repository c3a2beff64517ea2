import { type ErrorCode, FuselineError } from '../../core/errors.ts';
import { webHost } from '../host.ts';

export interface ConnectionOptions {
  /** What the service knows the caller by, or what hands it out. */
  readonly token?: string | (() => string | Promise<string>);
  /** The platform's own unless told. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

export interface Asking {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the service may take on purpose. */
  readonly waitMs?: number;
  /** After how long without an answer there will be none; half a minute unless told. */
  readonly withinMs?: number;
  /** `once`: another answer would not be the same. Everything else can be asked again. */
  readonly tries?: 'many' | 'once';
  /** What is answered when it is asked again and was done before, by a try whose answer was lost. */
  readonly doneBefore?: ErrorCode;
  /** Whether an answer is still wanted: looked at before it is asked again. */
  readonly isWanted?: () => boolean;
  readonly signal?: AbortSignal;
}

/** Nobody waits longer than this for a service that is not there, unless a worker does. */
const PATIENCE_MS = 30_000;
const ANSWER_MS = 30_000;
const BACKOFF_MS = { first: 100, most: 5_000 } as const;
/** A defect is asked again a few times: what failed may have been moved elsewhere meanwhile. */
const MOST_FAILURES = 5;
const AWAY: readonly number[] = [429, 502, 503, 504];

/** Thrown where what is asked is not wanted any more. */
export class NotWanted extends Error {}

/**
 * Asks a service, again and again where it does not answer: everything it is asked is done once, however often it comes.
 */
export class Connection {
  readonly #address: string;
  readonly #options: ConnectionOptions;
  /** What ends everything under way, of which there may be much. */
  readonly #ends = new Set<() => void>();
  #isClosed = false;
  /** Whether somebody works here: a worker waits for its service as long as it takes. */
  readonly #isPatient: () => boolean;
  #failures = 0;

  constructor(address: string | URL, options: ConnectionOptions, isPatient: () => boolean) {
    this.#address = String(address).replace(/\/+$/, '');
    this.#options = options;
    this.#isPatient = isPatient;
  }

  /** How many requests were not answered as they should be: of each of them, nobody knows whether it was done. */
  get failures(): number {
    return this.#failures;
  }

  close(): void {
    this.#isClosed = true;
    for (const end of [...this.#ends]) end();
  }

  /** Rejects with the error the service answered, or with `UNAVAILABLE`. */
  async ask<T>(path: string, asking: Asking = {}): Promise<T> {
    const patience = this.patience(asking.signal);
    for (let tries = 1; ; tries++) {
      let failure: Failure;
      try {
        const response = await this.#fetch(path, asking);
        if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
        failure = await failureIn(response, `${this.#address}${path}`);
      } catch (cause) {
        failure = { error: unreachable(this.#address, cause), again: 'later' };
      }
      if (tries > 1 && asking.doneBefore !== undefined && failure.error.code === asking.doneBefore)
        return undefined as T;
      this.#failures++;
      if (this.#isClosed) throw closed();
      if (failure.again === 'never' || asking.tries === 'once' || asking.signal?.aborted) throw failure.error;
      if (failure.again === 'perhaps' && tries >= MOST_FAILURES) throw failure.error;
      if (asking.isWanted?.() === false) throw new NotWanted();
      await patience(failure.error, failure.afterMs);
    }
  }

  /** Rests before something is asked again, longer every time; throws why it is where nobody waits any longer. */
  patience(signal?: AbortSignal): (why: FuselineError, afterMs?: number) => Promise<void> {
    const since = webHost.monotonic();
    let tries = 0;
    return async (why, afterMs = 0) => {
      if (this.#isClosed) throw closed();
      if (!this.#isPatient() && webHost.monotonic() - since > PATIENCE_MS) throw why;
      await this.rest(Math.max(afterMs, backoff(++tries)), signal);
    };
  }

  /** Waits, unless it is closed or told not to. */
  rest(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        unheed();
        resolve();
      };
      const cancel = webHost.after(ms, end);
      const unheed = this.#heed(end, signal);
      if (this.#isClosed || signal?.aborted) end();
    });
  }

  /** Calls back when it is closed, or told to end. */
  #heed(end: () => void, signal: AbortSignal | undefined): () => void {
    this.#ends.add(end);
    signal?.addEventListener('abort', end);
    return () => {
      this.#ends.delete(end);
      signal?.removeEventListener('abort', end);
    };
  }

  async #fetch(
    path: string,
    { method = 'POST', body, headers, waitMs = 0, withinMs = ANSWER_MS, signal }: Asking,
  ): Promise<Response> {
    const { token, fetch = globalThis.fetch.bind(globalThis) } = this.#options;
    const bearer = typeof token === 'function' ? await token() : token;
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    // A connection that died without a word would never answer.
    const cancel = webHost.after(waitMs + withinMs, abort);
    const unheed = this.#heed(abort, signal);
    if (this.#isClosed || signal?.aborted) abort();
    try {
      const response = await fetch(`${this.#address}${path}`, {
        method,
        headers: {
          ...headers,
          ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: controller.signal,
      });
      // Read here, so that a body that stops half way is an answer that was lost.
      const text = await response.text();
      return new Response(text === '' ? null : text, { status: response.status, headers: response.headers });
    } finally {
      cancel();
      unheed();
    }
  }
}

interface Failure {
  readonly error: FuselineError;
  /** `later`: it is not there. `perhaps`: it broke, and may be mended. */
  readonly again: 'later' | 'perhaps' | 'never';
  readonly afterMs?: number;
}

async function failureIn(response: Response, address: string): Promise<Failure> {
  const { status } = response;
  const text = await response.text();
  const { code, message } = errorIn(text);
  const error = new FuselineError(
    (code ?? 'UNAVAILABLE') as ErrorCode,
    message ?? `${address} answered ${status}, and not as a service of workflows does; look at the address`,
  );
  // What fails in other words than the service's stands in front of it.
  if (AWAY.includes(status) || (status >= 500 && code === undefined)) {
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return { error, again: 'later', ...(seconds > 0 && { afterMs: seconds * 1000 }) };
  }
  if (status >= 500 && status !== 507) {
    return { error: new FuselineError('STORAGE_FAILED', `${address} failed: ${error.message}`), again: 'perhaps' };
  }
  return { error, again: 'never' };
}

function errorIn(text: string): { readonly code?: string; readonly message?: string } {
  try {
    return (JSON.parse(text) as { readonly error?: { readonly code: string; readonly message: string } }).error ?? {};
  } catch {
    return {};
  }
}

function unreachable(address: string, cause: unknown): FuselineError {
  if (cause instanceof FuselineError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FuselineError('UNAVAILABLE', `${address} cannot be reached: ${reason}`, { cause });
}

function closed(): FuselineError {
  return new FuselineError('STORAGE_CLOSED', 'this storage was closed; make a new one to go on');
}

function backoff(tries: number): number {
  const ms = Math.min(BACKOFF_MS.first * 2 ** (tries - 1), BACKOFF_MS.most);
  return ms / 2 + (ms / 2) * webHost.random();
}
