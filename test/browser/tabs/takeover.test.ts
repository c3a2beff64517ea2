import { expect, test } from 'vitest';
import { houseOfThisFile } from './house.ts';
import { ENDS, takeOver } from './take-over.ts';

const house = houseOfThisFile();

test.for(ENDS)('the step of a tab $name is begun again by a tab that is hidden and idle', async (way) => {
  const database = way.name;
  const { run, by, ms, heir, cover } = await takeOver(house, database, way);
  expect(by).toBe('heir');
  // A second is the promise; a busy machine gets some more.
  expect(ms).toBeLessThan(3000);
  expect(await cover.call('result', database, run)).toBe('done by attempt 2');
  expect(await cover.call('recorded', database, run)).toEqual(['hold']);
  await Promise.all([heir.close(), cover.close()]);
});
