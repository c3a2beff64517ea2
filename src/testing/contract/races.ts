import type { CommitResult, Store, Version } from '../../core/store.ts';
import type { Open } from '../bracket.ts';
import { ensure, equal, pause } from '../check.ts';
import type { ContractCase } from '../store-contract.ts';
import { contents, put, readOne, write } from './store-face.ts';

const RACERS = 12;
const ROUNDS = 10;

/** Every race is run between commits of one handle, and between those of several. */
const STARTS = [
  { handles: 1, where: 'of one handle' },
  { handles: 3, where: 'of three handles' },
] as const;

/** Commits that run into each other. */
export const raceCases: readonly ContractCase[] = STARTS.flatMap(({ handles, where }): ContractCase[] => [
  {
    name: `exactly one of many commits ${where} wins what all of them expect, and the losers write nothing`,
    async run(open) {
      const { stores, first } = await start(handles, open);
      let version: Version | undefined;
      for (let round = 0; round < ROUNDS; round++) {
        const results = await Promise.all(
          racers(stores).map((store, racer) =>
            store.commit({
              expect: [{ key: 'prize', version }],
              put: [
                { key: 'prize', value: `${racer}` },
                { key: `by/${racer}`, value: `${round}` },
              ],
            }),
          ),
        );
        const winner = oneWinner(results);
        version = winner.version;
        const prize = await readOne(first, 'prize');
        equal([prize?.value, prize?.version], [`${winner.racer}`, version], 'the prize');
        const marks = (await first.scan({ from: 'by/', to: 'by0' })).filter(({ value }) => value === `${round}`);
        equal(
          marks.map(({ key }) => key),
          [`by/${winner.racer}`],
          'who wrote beside it',
        );
      }
    },
  },
  {
    name: `exactly one of two commits ${where} wins that each expect what the other writes`,
    async run(open) {
      const { first, last } = await start(handles, open);
      for (let round = 0; round < ROUNDS; round++) {
        const version = await write(first, {
          put: [
            { key: 'a', value: 'free' },
            { key: 'b', value: 'free' },
          ],
        });
        const results = await Promise.all([
          first.commit({ expect: [{ key: 'a', version }], put: [{ key: 'b', value: 'taken' }] }),
          last.commit({ expect: [{ key: 'b', version }], put: [{ key: 'a', value: 'taken' }] }),
        ]);
        const { racer } = oneWinner(results);
        const expected =
          racer === 0
            ? [
                ['a', 'free'],
                ['b', 'taken'],
              ]
            : [
                ['a', 'taken'],
                ['b', 'free'],
              ];
        equal(await contents(first), expected, 'the rows');
      }
    },
  },
  {
    name: `interleaved updates ${where} form one chain: none is lost, none is built on a version that was replaced`,
    async run(open) {
      const { stores, first } = await start(handles, open);
      await put(first, 'count', '0');
      const builtOn: Version[] = [];
      await Promise.all(
        racers(stores).map(async (store) => {
          let lost = 0;
          for (let done = 0; done < ROUNDS; ) {
            const before = await readOne(store, 'count');
            ensure(before !== undefined, 'the counter is gone');
            const value = `${Number(before.value) + 1}`;
            const result = await store.commit({ expect: [before], put: [{ key: 'count', value }] });
            if (result.status === 'conflict') {
              // Each loss is another's win, so nobody loses more often than all win.
              ensure(++lost < RACERS * ROUNDS, 'commits conflict though nobody won meanwhile');
              continue;
            }
            builtOn.push(before.version);
            done++;
          }
        }),
      );
      equal((await readOne(first, 'count'))?.value, `${RACERS * ROUNDS}`, 'the counter');
      equal(new Set(builtOn).size, builtOn.length, 'how many versions were built on, each once');
    },
  },
  {
    name: `commits ${where} that touch different keys all win`,
    async run(open) {
      const { stores, first } = await start(handles, open);
      const results = await Promise.all(
        racers(stores).map((store, i) =>
          store.commit({ expect: [{ key: `own/${i}`, version: undefined }], put: [{ key: `own/${i}`, value: '' }] }),
        ),
      );
      ensure(
        results.every(({ status }) => status === 'committed'),
        'a commit conflicted whose expectation held',
      );
      equal((await first.scan({ from: 'own/', to: 'own0' })).length, RACERS, 'how many rows there are');
    },
  },
  {
    name: `neither a read nor a scan sees half of a batch ${where}`,
    async run(open) {
      const { first: writer, last: reader } = await start(handles, open);
      const keys = ['pair/a', 'pair/b', 'pair/c'];
      const putAll = (value: string): Promise<Version> => write(writer, { put: keys.map((key) => ({ key, value })) });
      await putAll('0');
      let writing = true;
      const writeAll = async (): Promise<void> => {
        for (let i = 1; i <= 100; i++) {
          if (i % 3 === 0) await write(writer, { delete: keys });
          else await putAll(`${i}`);
        }
      };
      const written = writeAll().finally(() => {
        writing = false;
      });
      const readAll = async (): Promise<void> => {
        while (writing) {
          const [read, scanned] = await Promise.all([reader.read(keys), reader.scan({ from: 'pair/', to: 'pair0' })]);
          ensure(new Set(read.map((entry) => entry?.version)).size === 1, 'a read saw half of a batch');
          ensure(scanned.length === 0 || scanned.length === keys.length, 'a scan saw half of a batch');
          ensure(new Set(scanned.map(({ version }) => version)).size <= 1, 'a scan saw two batches');
          // Lets the store get on with it: answers that need no wait would keep the thread.
          await pause();
        }
      };
      await Promise.all([written, readAll()]);
    },
  },
]);

async function start(handles: number, open: Open): Promise<{ stores: readonly Store[]; first: Store; last: Store }> {
  const first = await open();
  const stores = [first];
  while (stores.length < handles) stores.push(await open());
  return { stores, first, last: stores.at(-1) ?? first };
}

function racers(stores: readonly Store[]): readonly Store[] {
  return Array.from({ length: RACERS }, (_, i) => stores[i % stores.length] as Store);
}

function oneWinner(results: readonly CommitResult[]): { readonly racer: number; readonly version: Version } {
  const winners = results.flatMap((result, racer) =>
    result.status === 'committed' ? [{ racer, version: result.version }] : [],
  );
  const [winner] = winners;
  ensure(winner !== undefined && winners.length === 1, `${winners.length} of ${results.length} commits won`);
  return winner;
}
