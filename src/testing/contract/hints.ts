import type { Hint, Store } from '../../core/store.ts';
import { ensure, equal, within } from '../check.ts';
import type { ContractCase } from '../store-contract.ts';
import { contents, put, readOne, write } from './store-face.ts';

/** How long a change may take to be heard of before engines would be slow, and how often one may be lost. */
const BOUND_MS = 2000;
const ATTEMPTS = 5;

/** What listeners hear. */
export const hintCases: readonly ContractCase[] = [
  {
    name: 'a listener hears of puts and deletes through another handle, with at least the keys that changed or with none',
    async run(open) {
      const [here, there] = [await open(), await open()];
      await heard(here, (round) => put(there, 'a', `${round}`), names('a'));
      await heard(
        here,
        async (round) => {
          await put(there, 'b', `${round}`);
          await write(there, { delete: ['b'] });
        },
        names('b'),
      );
    },
  },
  {
    name: 'a listener that was taken away hears nothing, and those beside it still do',
    async run(open) {
      const [here, there] = [await open(), await open()];
      let told = 0;
      const listener = (): void => {
        told++;
      };
      const [stop, stopAgain] = [here.watch(listener), here.watch(listener)];
      stop();
      await heard(here, (round) => put(there, 'a', `${round}`), names('a'));
      ensure(told > 0, 'a function that listened twice and was taken away once heard nothing');
      stopAgain();
      stop();
      const before = told;
      await heard(here, (round) => put(there, 'b', `${round}`), names('b'));
      equal(told, before, 'how often a listener was told that was taken away');
    },
  },
  {
    name: 'a listener may read and commit, and what it does is no part of the commit it heard of',
    async run(open) {
      const [here, there] = [await open(), await open()];
      const answered = new Promise<void>((resolve, reject) => {
        const stop = here.watch(() => {
          stop();
          readOne(here, 'question')
            .then((question) => write(here, { put: [{ key: 'answer', value: `${question?.value}!` }] }))
            .then(() => resolve(), reject);
        });
      });
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        await put(there, 'question', 'well');
        if (
          (await within(
            BOUND_MS,
            answered.then(() => 'answered'),
          )) === 'answered'
        )
          break;
      }
      equal(
        await contents(there),
        [
          ['answer', 'well!'],
          ['question', 'well'],
        ],
        'the rows',
      );
    },
  },
  {
    name: 'a closed store tells nothing any more, and its other handles still do',
    async run(open) {
      const [closed, here, there] = [await open(), await open(), await open()];
      let told = 0;
      closed.watch(() => {
        told++;
      });
      await closed.close();
      const before = told;
      await heard(here, (round) => put(there, 'a', `${round}`), names('a'));
      equal(told, before, 'how often the closed store told of something');
    },
  },
];

function names(key: string): (hint: Hint) => boolean {
  return ({ keys }) => keys === undefined || keys.includes(key);
}

/** Makes changes until a hint tells of one; a single hint may be lost. */
async function heard(
  store: Store,
  change: (round: number) => Promise<unknown>,
  fits: (hint: Hint) => boolean,
): Promise<void> {
  const hints: Hint[] = [];
  let stop = (): void => undefined;
  const told = new Promise<'told'>((resolve) => {
    stop = store.watch((hint) => {
      hints.push(hint);
      if (fits(hint)) resolve('told');
    });
  });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await change(attempt);
      if ((await within(BOUND_MS, told)) === 'told') return;
    }
  } finally {
    stop();
  }
  throw new Error(`${ATTEMPTS} changes were made and none heard of; the hints were ${JSON.stringify(hints)}`);
}
