import type { HistoryEvent } from 'fuseline';
import { seeded } from 'fuseline/testing';
import { expect, test } from 'vitest';
import { stepsOf } from '../../storm-graph.ts';
import type { Tab } from './browser.ts';
import { Crew, KINDS, type Kind } from './crew.ts';
import { houseOfThisFile } from './house.ts';
import { contradictions, longestGap } from './testimony.ts';
import type { Storm } from './web/storm.ts';

const DATABASE = 'storm';
const CONCURRENCY = 4;
/** `npm run soak:tabs` is the long one; the short one sees to it that the long one can be believed. */
const { lanes, rounds, bodyMs, least, seconds } = process.env.SOAK_TABS
  ? { lanes: 20, rounds: 10, bodyMs: 450, least: [14, 14, 14, 14, 4], seconds: 600 }
  : { lanes: 3, rounds: 2, bodyMs: 100, least: [1, 1, 1, 1, 0], seconds: 120 };
const STORM: Storm = { lanes, rounds, bodyMs };
const STEPS = stepsOf(STORM);
const LEAST = new Map<Kind, number>(KINDS.map((kind, i) => [kind, least[i] as number]));

const house = houseOfThisFile();

test(
  'every step has one result, however the four tabs that work on a run are killed',
  async () => {
    const { site, browser } = house;
    const storm = { ...STORM, concurrency: CONCURRENCY };
    const { next: random } = seeded(4);
    const office = await browser.tab(site.address);
    const run = await office.call<string>('dispatchStorm', DATABASE, STORM);
    const since = Date.now();
    const crew = new Crew(site, browser, { database: DATABASE, storm }, random);
    const ended = () => site.notes.filter(({ what }) => what === 'end').length;

    // Spread over the run, so that none is left when it nears its end.
    const kinds = shuffled(random);
    for (const [i, kind] of kinds.entries()) {
      while (ended() < (0.85 * STEPS * i) / kinds.length) await site.nextNote();
      await crew.strike(kind);
    }
    const undone = () => STEPS - new Set(site.notes.filter(({ what }) => what === 'end').map(({ step }) => step)).size;
    while (undone() > 0) await site.nextNote();
    await crew.dismiss();
    const ms = Date.now() - since;

    // Somebody who has seen nothing of it finds everything in order.
    await browser.kill();
    await browser.restart();
    const auditor = await browser.tab(site.address);
    await auditor.call('work', { who: 'auditor', database: DATABASE, storm });
    expect(await auditor.call('ended', DATABASE, run)).toBe('SUCCEEDED');
    expect(await auditor.call('census', DATABASE, run)).toEqual({ SUCCEEDED: STEPS });
    // What the dead held is gone with them, and at last the auditor's own session.
    const sessions = async () => (await keysOf(auditor)).filter((key) => key.startsWith('session/'));
    while ((await sessions()).length > 1);
    await auditor.call('leave', 'auditor');
    const history = await auditor.call<readonly HistoryEvent[]>('history', DATABASE, run);
    const rows = await keysOf(auditor);
    const { blows, deaths } = crew;
    const notes = site.notes.filter((note) => note.run === run);

    const repeats = notes.filter(({ what }) => what === 'begin').length - STEPS;
    const said = [
      `${STEPS} steps in ${(ms / 1000).toFixed(1)} s`,
      ...KINDS.map((kind) => `${kind}: ${count(kind, crew)}`),
      `workers that died: ${deaths}`,
      `bodies begun again: ${repeats}`,
      `results lost or recorded twice: ${STEPS - history.filter(({ type }) => type === 'succeeded').length}`,
      `longest time without a body that ended: ${longestGap(notes).toFixed(0)} ms`,
    ];
    for (const line of said) console.log(`measured: ${line}`);

    expect(contradictions(run, history, notes, blows).join('\n')).toBe('');
    expect(history.filter(({ type }) => type === 'succeeded').length).toBe(STEPS);
    expect(repeats).toBeLessThanOrEqual(deaths * CONCURRENCY);
    for (const [kind, times] of LEAST) expect(count(kind, crew), kind).toBeGreaterThanOrEqual(times);
    expect(rows.filter((key) => /^(claim|session|ready|timer)\//.test(key))).toEqual([]);
  },
  seconds * 1000,
);

function keysOf(tab: Tab): Promise<readonly string[]> {
  return tab.call('keys', DATABASE);
}

function count(kind: Kind, { blows }: Crew): number {
  return blows.filter((blow) => blow.kind === kind).length;
}

/** As many of each as there must be, in an order of chance. */
function shuffled(random: () => number): readonly Kind[] {
  return [...LEAST]
    .flatMap(([kind, times]) => Array.from({ length: times }, () => ({ kind, at: random() })))
    .sort((a, b) => a.at - b.at)
    .map(({ kind }) => kind);
}
