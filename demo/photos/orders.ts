import type { Meddling } from './meddling.ts';

/** From the page to a worker of its. */
export type Order =
  | { readonly type: 'work'; readonly database: string; readonly name: string; readonly meddling: Meddling }
  | { readonly type: 'meddle'; readonly meddling: Meddling }
  /** Hangs in a busy loop, as a page does that has run wild. */
  | { readonly type: 'hang'; readonly ms: number };

/** From a worker to its page. */
export type Report =
  | { readonly type: 'working' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };
