import { liveRuns, workflow } from 'fuseline';
import { IndexedDBStorage } from 'fuseline/indexeddb';

export const storage = new IndexedDBStorage('wild');

/** Succeeds once it has waited for its second attempt. */
export const patient = workflow('patient', {}, ($) =>
  $.step(
    'double',
    { n: $.input },
    ({ n }, { attempt }) => {
      if (attempt === 1) throw new Error('not yet');
      return n * 2;
    },
    { retry: { attempts: 2, base: 50, jitter: 'none' } },
  ),
);

/** What a server can say of the runs, which are in the visitor's browser. */
export const render = () => `<output>${liveRuns(storage, {}).getSnapshot().status}</output>`;
