import { typed, workflow } from 'fuseline';
import type { Note } from '../site.ts';

/** Tells the test what happened here, whatever becomes of the storage. */
export function note(note: Omit<Note, 'at'>): void {
  void fetch('/note', { method: 'POST', keepalive: true, body: atNow(note) });
}

/** The same, and waits until it was heard. */
export async function witnessed(note: Omit<Note, 'at'>): Promise<void> {
  await fetch('/note', { method: 'POST', body: atNow(note) });
}

function atNow(note: Omit<Note, 'at'>): string {
  return JSON.stringify({ ...note, at: performance.timeOrigin + performance.now() } satisfies Note);
}

/** The workflows of these tests, as one context of the site knows them. */
export function flows(who: string) {
  /** Its first attempt never ends by itself. */
  const hold = workflow('hold', { input: typed<string>() }, ($) =>
    $.step('hold', { given: $.input }, async ({ given }, { runId, step, attempt, signal }) => {
      note({ who, what: 'begin', run: runId, step, attempt });
      if (attempt === 1) {
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            note({ who, what: 'aborted', run: runId, step, attempt });
            reject(signal.reason);
          });
        });
      }
      return `${given} by attempt ${attempt}`;
    }),
  );
  const chain = workflow('chain', { input: typed<number>() }, ($) => {
    let last = $.step('step 0', { n: $.input }, ({ n }) => n);
    for (let i = 1; i < 20; i++) last = $.step(`step ${i}`, { before: last }, ({ before }) => before + 1);
    return last;
  });
  const AGAIN = { attempts: 8, backoff: 'constant', base: 100, jitter: 'none' } as const;
  /** Succeeds at the eighth attempt. */
  const again = workflow('again', { input: typed<string>() }, ($) =>
    $.step(
      'again',
      { given: $.input },
      ({ given }, { attempt }) => {
        if (attempt < AGAIN.attempts) throw new Error('not yet');
        return given;
      },
      { retry: AGAIN },
    ),
  );
  return { hold, chain, again };
}

export type Flows = ReturnType<typeof flows>;
