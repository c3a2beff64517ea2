import { setImmediate } from 'node:timers/promises';
import { MemoryStore } from 'fuseline';
import { MortalStore, storeContract } from 'fuseline/testing';
import { expect, test } from 'vitest';

const put = (key: string) => ({ put: [{ key, value: 'value' }] });

test('while it lives it is a store like any other', async () => {
  for (const { run } of storeContract) {
    const rows = new MemoryStore();
    await run(async () => new MortalStore(rows.reopen()));
  }
});

test('the dead write nothing, are answered nothing, and hear nothing', async () => {
  const rows = new MemoryStore();
  const mortal = new MortalStore(rows.reopen());
  const heard: unknown[] = [];
  mortal.watch((hint) => heard.push(hint));
  await rows.commit(put('told on its way'));
  mortal.die();
  const answers: unknown[] = [];
  for (const call of [
    mortal.read(['a']),
    mortal.scan({ from: 'a', to: 'z' }),
    mortal.commit(put('written by the dead')),
    mortal.close(),
  ])
    call.then(
      (answer) => answers.push(answer),
      (error) => answers.push(error),
    );
  await rows.commit(put('after'));
  await setImmediate();
  expect(heard).toEqual([]);
  expect(answers).toEqual([]);
  expect((await rows.scan({ from: ' ', to: '~' })).map(({ key }) => key)).toEqual(['after', 'told on its way']);
});

test.each([
  { fate: 'happens', rows: ['under way'] },
  { fate: 'is lost', rows: [] },
] as const)('a commit under way at the death $fate, and nobody is told', async ({ fate, rows: expected }) => {
  const rows = new MemoryStore();
  const mortal = new MortalStore(rows.reopen());
  let answered = false;
  mortal.commit(put('under way')).then(() => {
    answered = true;
  });
  mortal.die(fate);
  await setImmediate();
  expect(answered).toBe(false);
  expect((await rows.scan({ from: ' ', to: '~' })).map(({ key }) => key)).toEqual(expected);
});
