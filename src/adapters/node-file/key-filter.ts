import type { Key, Range } from '../../core/store.ts';

/** Of ten thousand keys that are not there, five seem to be. */
const BITS_PER_KEY = 16;
const PROBES = 11;
/** Of FNV-1a. */
const SEED = 0x811c9dc5;
const PRIME = 0x01000193;

const SLASH = 0x2f;

/** What a filter knows of a key. The same in every process and version: filters are kept in files. */
export function hashOf(key: Key): number {
  let state = SEED;
  for (let i = 0; i < key.length; i++) state = Math.imul(state ^ key.charCodeAt(i), PRIME);
  return mixed(state);
}

/**
 * Adds what a filter is to know of a key: itself, and of the folders it lies in, `a/` and `a/b/` of `a/b/c`, those the
 * key before it did not lie in. So a filter can be asked for all keys of a folder at once.
 */
export function addHashes(hashes: number[], key: Key, before: Key): void {
  let state = SEED;
  let isShared = true;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    state = Math.imul(state ^ unit, PRIME);
    isShared &&= unit === before.charCodeAt(i);
    if (unit === SLASH && !isShared) hashes.push(mixed(state));
  }
  hashes.push(mixed(state));
}

/** The hash of the folder that all keys of a range lie in; `undefined` if there is none. */
export function folderHashOf({ from, to }: Range): number | undefined {
  const end = to.length - 1;
  const isFolder = from.startsWith(to.slice(0, end)) && from[end] === '/' && to[end] === '0';
  return isFolder ? hashOf(from.slice(0, to.length)) : undefined;
}

/** A Bloom filter: says of every key it was built of that it may be there, and of nearly all others that they are not. */
export function filterOf(hashes: readonly number[]): Buffer {
  const filter = Buffer.alloc(Math.ceil((hashes.length * BITS_PER_KEY) / 8));
  const bits = filter.length * 8;
  for (const hash of hashes) {
    const step = stepOf(hash);
    for (let i = 0, probe = hash; i < PROBES; i++, probe = (probe + step) >>> 0) {
      const at = probe % bits;
      filter[at >> 3] = (filter[at >> 3] as number) | (1 << (at & 7));
    }
  }
  return filter;
}

export function mayHold(filter: Uint8Array, hash: number): boolean {
  const bits = filter.length * 8;
  const step = stepOf(hash);
  for (let i = 0, probe = hash; i < PROBES; i++, probe = (probe + step) >>> 0) {
    const at = probe % bits;
    if (((filter[at >> 3] as number) & (1 << (at & 7))) === 0) return false;
  }
  return true;
}

function stepOf(hash: number): number {
  return (mixed(hash ^ 0x5bd1e995) | 1) >>> 0;
}

/** Spreads every bit over all others, as MurmurHash ends. */
function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
