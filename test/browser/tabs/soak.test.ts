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
    const runs: string[] = [];
    const dispatch = async (): Promise<void> => {
      const office = await browser.tab(site.address);
      runs.push(await office.call<string>('dispatchStorm', DATABASE, STORM));
      await office.close();
    };
    await dispatch();
    const since = Date.now();
    const ends = () => site.notes.filter(({ what }) => what === 'end');
    const undone = () => runs.length * STEPS - new Set(ends().map(({ run, step }) => `${run}/${step}`)).size;
    // On a slow machine the run is over before the killer has met everybody, and another one is needed.
    const keepBusy = async (): Promise<void> => (undone() > 0 ? undefined : dispatch());
    const crew = new Crew(site, browser, { database: DATABASE, storm }, random, keepBusy);

    // Spread over the run.
    const kinds = shuffled(random);
    for (const [i, kind] of kinds.entries()) {
      while (ends().length < (0.85 * STEPS * i) / kinds.length) await site.nextNote();
      await crew.strike(kind);
    }
    while (undone() > 0) await site.nextNote();
    await crew.dismiss();
    const ms = Date.now() - since;

    // Somebody who has seen nothing of it finds everything in order.
    await browser.kill();
    await browser.restart();
    const auditor = await browser.tab(site.address);
    await auditor.call('work', { who: 'auditor', database: DATABASE, storm });
    for (const run of runs) {
      expect(await auditor.call('ended', DATABASE, run)).toBe('SUCCEEDED');
      expect(await auditor.call('census', DATABASE, run)).toEqual({ SUCCEEDED: STEPS });
    }
    // What the dead held is gone with them, and at last the auditor's own session.
    const sessions = async () => (await keysOf(auditor)).filter((key) => key.startsWith('session/'));
    while ((await sessions()).length > 1);
    await auditor.call('leave', 'auditor');
    const rows = await keysOf(auditor);
    const { blows, deaths } = crew;
    let results = 0;
    for (const run of runs) {
      const history = await auditor.call<readonly HistoryEvent[]>('history', DATABASE, run);
      const notes = site.notes.filter((note) => note.run === run);
      expect(contradictions(run, history, notes, blows).join('\n')).toBe('');
      results += history.filter(({ type }) => type === 'succeeded').length;
    }

    const steps = runs.length * STEPS;
    const repeats = site.notes.filter(({ what }) => what === 'begin').length - steps;
    const said = [
      `${steps} steps in ${(ms / 1000).toFixed(1)} s`,
      ...KINDS.map((kind) => `${kind}: ${count(kind, crew)}`),
      `workers that died: ${deaths}`,
      `bodies begun again: ${repeats}`,
      `results lost or recorded twice: ${steps - results}`,
      `longest time without a body that ended: ${longestGap(site.notes).toFixed(0)} ms`,
    ];
    for (const line of said) console.log(`measured: ${line}`);

    expect(results).toBe(steps);
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
