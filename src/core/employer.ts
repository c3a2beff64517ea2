import type { Worker } from './sessions.ts';

/** The worker somebody keeps watch for. */
export interface Employer {
  /** Once it is registered its id, and whether it holds claims. */
  readonly self: () => { readonly id: string | undefined; readonly holds: boolean };
  /** A worker was found dead, and what it held has been handed out again. */
  readonly lost: (worker: Worker['id']) => void;
  /** This worker's own session is gone. */
  readonly disowned: () => void;
  readonly error: (error: unknown) => void;
}

/** Keeps a worker known as one that lives, and notices when it is not any more. */
export interface Watch {
  /** One look, and from the first on further ones without being asked, until it is closed. */
  look(): Promise<void>;
  /** Waits for what is being handed out again. Answers whether there was any. */
  reaped(): Promise<boolean>;
  close(): Promise<void>;
}
