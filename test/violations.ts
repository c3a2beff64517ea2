import axe from 'axe-core';
import type { Page } from 'playwright-core';

declare global {
  interface Window {
    axe?: typeof axe;
  }
}

/** What depends on the colours of a page: all other rules say the same in every look. */
const COLOURS = ['color-contrast', 'link-in-text-block'];

/** What axe finds on a page, with all of its rules or with those about colours: which rule, and where. */
export async function violations(page: Page, rules: 'all' | 'colours' = 'all'): Promise<readonly string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
  const options: axe.RunOptions = {
    resultTypes: ['violations'],
    ...(rules === 'colours' && { runOnly: COLOURS }),
  };
  const found = await page.evaluate(async (options) => (await window.axe?.run(document, options))?.violations, options);
  if (!found) throw new Error('axe did not run');
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, any }) => `${id}: ${target.join(' ')} (${any.map(({ message }) => message).join('; ')})`),
  );
}
