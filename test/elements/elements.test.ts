import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from '../violations.ts';
import { type House, openHouse, play, visit } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

function nodeOf(page: Page, text: string): Locator {
  return page.locator('fuseline-graph .node', { hasText: text });
}

function heard(page: Page): Promise<readonly (readonly [string, Readonly<Record<string, unknown>>])[]> {
  return page.evaluate(() => window.asked.heard as never);
}

test('the strictest policy forbids nothing the elements do, and hostile names, results and errors are text', async () => {
  const { page, complaints } = await visit(house);
  await play(page);
  await nodeOf(page, '<img src=x').click();
  await page.getByRole('heading', { name: /^<img src=x/ }).waitFor();
  await nodeOf(page, 'resize-small').click();
  await page.getByText('Error: <img src=x').first().waitFor();
  expect(await page.locator('img').count()).toBe(0);
  expect(await page.title()).toBe('elements');
  expect(complaints).toEqual([]);
});

test('what the page puts into a node is seen there, in the page’s own style', async () => {
  const { page } = await visit(house);
  await play(page);
  const swatches = page.locator('.swatches');
  expect(await swatches.evaluate((element) => getComputedStyle(element).color)).toBe('rgb(1, 2, 3)');
  const inner = await swatches.boundingBox();
  const outer = await page.getByRole('option', { name: /#884422/ }).boundingBox();
  if (!inner || !outer) throw new Error('the swatches or their node are not seen');
  expect(inner.x).toBeGreaterThan(outer.x);
  expect(inner.y).toBeGreaterThan(outer.y);
  expect(inner.y + inner.height).toBeLessThanOrEqual(outer.y + outer.height);
});

test('a bar under the pointer lights its node and its entries; one that is clicked is chosen', async () => {
  const { page } = await visit(house);
  await play(page);
  const plot = await page.locator('fuseline-timeline canvas').boundingBox();
  if (!plot) throw new Error('there is no plot');
  // The second row of the first worker: the attempt that took until the worker was gone.
  const bar = { x: plot.x + plot.width / 2, y: plot.y + 58 };
  await page.mouse.move(bar.x, bar.y);
  await page.locator('.node.marked', { hasText: 'resize-large' }).waitFor();
  await page.locator('.row.marked', { hasText: 'resize-large' }).first().waitFor();
  await page.mouse.click(bar.x, bar.y);
  await page.getByRole('heading', { name: 'resize-large', exact: true }).waitFor();
  await page.mouse.move(bar.x, plot.y + plot.height + 100);
  await page.locator('.node.marked').waitFor({ state: 'detached' });
  expect((await heard(page)).map(([type, { step }]) => [type, step])).toEqual([
    ['mark', 'resize-large'],
    ['select', 'resize-large'],
    ['mark', undefined],
  ]);
});

test('the table says which attempt failed, and which was lost with its worker', async () => {
  const { page } = await visit(house);
  await play(page);
  const rows = page.locator('fuseline-timeline [role=table] [role=row]:has([role=cell])');
  const outcomes = () =>
    rows.evaluateAll((all) => all.map((row) => `${row.children[2]?.textContent} ${row.children[6]?.textContent}`));
  // Changes are shown once a second.
  await expect
    .poll(outcomes, { timeout: 15_000 })
    .toEqual(expect.arrayContaining(['resize-large lost', 'resize-small failed']));
});

test('the graph is moved by the pointer, zoomed by the wheel, and shown whole again', async () => {
  const { page } = await visit(house);
  await play(page);
  const node = page.getByRole('option', { name: /^decode succeeded/ });
  const place = async () => (await node.boundingBox()) as { x: number; y: number; width: number };
  const before = await place();
  const view = await page.locator('fuseline-graph').boundingBox();
  if (!view) throw new Error('there is no graph');
  const corner = { x: view.x + 12, y: view.y + 12 };
  await page.mouse.move(corner.x, corner.y);
  await page.mouse.down();
  await page.mouse.move(corner.x + 60, corner.y + 30, { steps: 4 });
  await page.mouse.up();
  const moved = await place();
  expect(moved.x - before.x).toBeCloseTo(60, 0);
  expect(moved.y - before.y).toBeCloseTo(30, 0);
  // What was dragged was not chosen.
  expect(await heard(page)).toEqual([]);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -150);
  await page.keyboard.up('Control');
  await expect.poll(async () => (await place()).width, { timeout: 10_000 }).toBeGreaterThan(moved.width * 1.3);
  await page.getByRole('button', { name: 'Show the whole graph' }).click();
  await expect.poll(async () => Math.abs((await place()).x - before.x), { timeout: 10_000 }).toBeLessThan(2);
});

test('the slider is dragged through the past, and everything follows', async () => {
  const { page } = await visit(house);
  await play(page);
  const axis = await page.getByRole('slider').boundingBox();
  if (!axis) throw new Error('there is no slider');
  await page.mouse.move(axis.x + axis.width - 2, axis.y + 10);
  await page.mouse.down();
  await page.mouse.move(axis.x + 1, axis.y + 10, { steps: 8 });
  await page.mouse.up();
  await page.getByRole('option', { name: /^sheet waiting/ }).waitFor();
  await page.getByText(/^As it was after entry \d+ of \d+\.$/).waitFor();
  await page.getByRole('button', { name: 'Back to now' }).click();
  await page.getByRole('option', { name: /^sheet succeeded/ }).waitFor();
  const moments = (await heard(page)).filter(([type]) => type === 'moment');
  expect(moments.length).toBeGreaterThan(2);
  expect(moments.at(-1)?.[1].seq).toBeUndefined();
});

test('while nothing changes no frame is drawn', async () => {
  const { page } = await visit(house, { reducedMotion: 'no-preference' });
  await play(page);
  const frames = () =>
    page.evaluate(async () => {
      const { requestAnimationFrame } = window;
      let asked = 0;
      window.requestAnimationFrame = (callback) => {
        asked++;
        return requestAnimationFrame(callback);
      };
      await new Promise((resolve) => setTimeout(resolve, 2000));
      window.requestAnimationFrame = requestAnimationFrame;
      return asked + document.getAnimations().length;
    });
  // Once all is drawn, in twice the time after which everything is looked at again.
  await expect.poll(frames, { timeout: 15_000 }).toBe(0);
});

test('where there is no room the panels are seen one at a time, and a step that is chosen comes into view', async () => {
  const { page } = await visit(house, { viewport: { width: 360, height: 740 } });
  await play(page);
  const panels = () =>
    page.getByRole('tabpanel').evaluateAll((all) => all.map((panel) => panel.getAttribute('aria-labelledby')));
  expect(await panels()).toEqual(['tab-graph']);
  await page
    .locator('fuseline-graph')
    .getByRole('option', { name: /^resize-small/ })
    .click();
  await page.getByRole('heading', { name: 'resize-small', exact: true }).waitFor();
  expect(await panels()).toEqual(['tab-step']);
  await page.keyboard.press('ArrowRight');
  expect(await panels()).toEqual(['tab-timeline']);
  await page.getByRole('slider').waitFor();
  await page.keyboard.press('End');
  expect(await panels()).toEqual(['tab-journal']);
  await page.getByRole('listbox', { name: 'Journal' }).getByText('created').waitFor();
  await page.keyboard.press('ArrowRight');
  await page
    .locator('fuseline-graph')
    .getByRole('option', { name: /^decode/ })
    .waitFor();

  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole('tablist').waitFor({ state: 'hidden' });
  expect(await panels()).toEqual([]);
  await page.getByRole('listbox', { name: 'Journal' }).waitFor();
});

const WIDTHS = [360, 1440];
const LOOKS = [
  { colorScheme: 'light', forcedColors: 'none' },
  { colorScheme: 'dark', forcedColors: 'none' },
  { colorScheme: 'light', forcedColors: 'active' },
] as const;

test('axe finds nothing, narrow or wide, in light, dark and forced colours: running, a failed step, a moment of the past', async () => {
  const { page } = await visit(house, { bypassCSP: true });
  const check = async (when: string, panel?: string) => {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      if (panel) {
        // It takes its width into account a moment later.
        await page.getByRole('tablist').waitFor({ state: width < 720 ? 'visible' : 'hidden' });
        await view(page, panel);
      }
      for (const [i, look] of LOOKS.entries()) {
        await page.emulateMedia(look);
        const found = await violations(page, i === 0 ? 'all' : 'colours');
        expect(found, `${when}, ${width} pixels, ${JSON.stringify(look)}`).toEqual([]);
      }
    }
  };
  await check('nothing there');
  await page.evaluate(() => window.asked.begin());
  await page.getByRole('option', { name: /^resize-large running/ }).waitFor({ state: 'attached' });
  await check('running');
  await page.evaluate(() => window.asked.takeOver());
  await page.getByText('Run photo-1 succeeded.', { exact: true }).waitFor();
  await page.locator('fuseline-run').evaluate((run) => Object.assign(run, { selected: 'resize-small' }));
  await page.getByRole('heading', { name: 'resize-small' }).waitFor({ state: 'attached' });
  await check('a step', 'Step');
  await page.locator('fuseline-run').evaluate((run) => Object.assign(run, { moment: 4 }));
  await page.getByRole('button', { name: 'Back to now' }).waitFor({ state: 'attached' });
  await check('the past', 'Graph');
  await check('the timeline of the past', 'Timeline');
  await check('the journal of the past', 'Journal');
}, 240_000);

/** Chooses one of the panels, where only one is seen at a time. */
async function view(page: Page, name: string): Promise<void> {
  const tab = page.getByRole('tab', { name });
  if (await tab.isVisible()) await tab.click();
}
