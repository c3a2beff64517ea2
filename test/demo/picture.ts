// Takes the picture of the page that stands in the README: `npm run picture`.
import { fileURLToPath } from 'node:url';
import { closeHouse, openHouse } from './visit.ts';

const PICTURE = fileURLToPath(new URL('../../docs/demo.png', import.meta.url));

const house = await openHouse();
const page = await house.browser.newPage({ viewport: { width: 1280, height: 860 } });
await page.goto(house.site.address);
await page.waitForFunction(() => Number(document.querySelector('[data-figure=recorded] dd')?.textContent) > 8);
await page.getByRole('button', { name: 'Next' }).click();
await page.locator('.story').getByRole('button', { name: 'Kill a worker' }).click();
await page.getByText(/was killed in the middle of/).waitFor();
await page.waitForFunction(() => document.querySelectorAll('#runs [data-status=SUCCEEDED]').length > 0);
await page.screenshot({ path: PICTURE });
await closeHouse(house);
console.log(`The picture is in ${PICTURE}.`);
