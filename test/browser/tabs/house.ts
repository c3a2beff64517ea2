import { afterAll, beforeAll } from 'vitest';
import { Browser } from './browser.ts';
import { Site } from './site.ts';

export interface House {
  readonly site: Site;
  readonly browser: Browser;
}

/** A site and a browser for the tests of one file. Both are there once its tests run. */
export function houseOfThisFile(): House {
  let house: House | undefined;
  beforeAll(async () => {
    const [site, browser] = await Promise.all([Site.serve(), Browser.start()]);
    house = { site, browser };
  });
  afterAll(async () => {
    house?.site.close();
    await house?.browser.close();
  });
  const open = (): House => {
    if (!house) throw new Error('the site and the browser are there while tests run, not before');
    return house;
  };
  return {
    get site() {
      return open().site;
    },
    get browser() {
      return open().browser;
    },
  };
}
