import type { Key } from '../../core/store.ts';

/** Of a thousand keys that are not there, three seem to be. */
const BITS_PER_KEY = 12;
const PROBES = 8;

/** What a filter knows of a key. The same in every process and version: filters are kept in files. */
export function hashOf(key: Key): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return mixed(hash);
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
