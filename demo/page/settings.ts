import { type Meddling, UNDISTURBED } from '../photos/meddling.ts';

/** What this origin remembers beside the runs: shared by all windows, gone with a reset. */
export interface Settings {
  readonly meddling: Meddling;
  /** How many samples were painted so far. */
  readonly painted: number;
  readonly story: 'unseen' | 'seen';
}

const KEY = 'fuseline-demo';
const HIRES = 'fuseline-demo-hires';
const CAPTION = 'fuseline-demo-caption';
const FRESH: Settings = { meddling: UNDISTURBED, painted: 0, story: 'unseen' };

/** Where a browser refuses to remember, a visit begins afresh. */
export function readSettings(): Settings {
  try {
    return { ...FRESH, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>) };
  } catch {
    return FRESH;
  }
}

export function writeSettings(change: Partial<Settings>): Settings {
  const settings = { ...readSettings(), ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Then only this window knows, until it is closed.
  }
  return settings;
}

/** How far the story has come in this window: it goes on there after a reload. */
export function captionOfThisWindow(): number | undefined {
  try {
    const caption = sessionStorage.getItem(CAPTION);
    return caption === null ? undefined : Number(caption);
  } catch {
    return undefined;
  }
}

export function rememberCaption(caption: number | undefined): void {
  try {
    if (caption === undefined) sessionStorage.removeItem(CAPTION);
    else sessionStorage.setItem(CAPTION, String(caption));
  } catch {
    // Then a reload ends the story.
  }
}

let hires = 0;

/** Counts the workers of this window, over reloads: no two of them have one name. */
export function nextHire(): number {
  try {
    hires = Number(sessionStorage.getItem(HIRES) ?? hires);
    sessionStorage.setItem(HIRES, String(hires + 1));
  } catch {
    // Then they have the names of before again.
  }
  return hires++;
}

/** Hears what other windows change. */
export function onSettings(listener: (settings: Settings) => void): void {
  addEventListener('storage', ({ key }) => {
    if (key === KEY || key === null) listener(readSettings());
  });
}

export function forgetSettings(): void {
  localStorage.removeItem(KEY);
  rememberCaption(undefined);
}
