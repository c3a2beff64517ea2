import { FuselineError } from './errors.ts';

const ID = /^[A-Za-z0-9_.:-]{1,128}$/;

/** A run's id: the idempotency key of whoever dispatched it. */
export function checkId(id: string, what = 'a run id'): string {
  if (typeof id === 'string' && ID.test(id)) return id;
  throw new FuselineError(
    'INVALID_ID',
    `${JSON.stringify(id)} cannot be ${what}: use 1 to 128 characters of letters, digits and _ . : -`,
  );
}

/** The name of a workflow, a step, a queue or a signal: any characters, 1 to 256 of them. */
export function isName(text: unknown): text is string {
  return typeof text === 'string' && text.length >= 1 && text.length <= 256 && WELL_FORMED.test(text);
}

// A lone surrogate has no UTF-8 form, so a name with one could not be stored.
const WELL_FORMED = /^(?:[^\uD800-\uDFFF]|[\uD800-\uDBFF][\uDC00-\uDFFF])*$/;

/** What stands between the id of the run at the top and the rest, in the ids of those below it. */
const BELOW = '::';
const MAX_ID = 128;
/** Longer ids of runs at the top are cut in those of the runs below. */
export const MAX_ROOT: number = MAX_ID - BELOW.length - 36;

/** The id of a run that is made for a step of another; it begins as that of the run at the top, so it is where that is. */
export function childId(parent: string, unique: string): string {
  return `${rootOf(parent).slice(0, MAX_ID - BELOW.length - unique.length)}${BELOW}${unique}`;
}

/** The id of the run at the top. */
export function rootOf(run: string): string {
  const end = run.indexOf(BELOW);
  return end < 0 ? run : run.slice(0, end);
}

/** Begins with the worker's name, so that the journal tells who it was after it has left. */
export function workerId(name: string | undefined, unique: string): string {
  return name === undefined ? unique : `${name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 40)}.${unique}`;
}

/** What to call a worker of which only the id is known. */
export function workerName(id: string): string {
  const end = id.lastIndexOf('.');
  return end < 0 ? id.slice(0, 8) : id.slice(0, end);
}

/** 128 bits of a text, as 28 characters of `[0-9a-z]`: names graphs. Not for texts an attacker may choose. */
export function contentHash(text: string): string {
  return MULTIPLIERS.map((multiplier) => lane(text, multiplier).toString(36).padStart(7, '0')).join('');
}

const MULTIPLIERS = [0x01000193, 0x9e3779b1, 0x85ebca77, 0xc2b2ae3d];

/** FNV-1a over UTF-16 code units, its bits mixed once more at the end so that every one of them counts. */
function lane(text: string, multiplier: number): number {
  let hash = 0x811c9dc5 ^ text.length;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), multiplier);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
