import { afterAll, afterEach, beforeAll } from 'vitest';
import { closeHouse, type House, leave, openHouse } from './visit.ts';

/** The page and a browser for the tests of one file, each of which begins without visits. Both are there once its tests run. */
export function houseOfThisFile(): House {
  let house: House | undefined;
  const open = (): House => {
    if (!house) throw new Error('the page and the browser are there while tests run, not before');
    return house;
  };
  beforeAll(async () => {
    house = await openHouse();
  });
  afterEach(() => leave(open()));
  afterAll(async () => {
    if (house) await closeHouse(house);
  });
  return {
    get site() {
      return open().site;
    },
    get files() {
      return open().files;
    },
    get browser() {
      return open().browser;
    },
  };
}
