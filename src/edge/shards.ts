import { FuselineError } from '../core/errors.ts';
import { checkId, contentHash } from '../core/ids.ts';

/** Where a run is, and its whole id, which says so. */
export interface Place {
  readonly shard: number;
  readonly run: string;
}

const WHOLE = /^(0|[1-9]\d{0,3})\..+$/;

/** More than this would be a mistake: each one is asked for every list. */
export const MOST_SHARDS = 1000;

/**
 * Finds the place of a run. A whole id begins with the number of its shard, so it is found however many there are by now;
 * any other id has its place by its hash, and that moves only for one id in n + 1 when there is one shard more.
 */
export function placeOf(id: string, shards: number): Place {
  const number = WHOLE.exec(id)?.[1];
  if (number === undefined) {
    const shard = bucketOf(Number.parseInt(contentHash(id).slice(0, 7), 36), shards);
    return { shard, run: checkId(`${shard}.${checkId(id)}`) };
  }
  const shard = Number(number);
  if (shard >= shards) {
    throw new FuselineError(
      'INVALID_ID',
      `${JSON.stringify(id)} names shard ${shard}, and there are ${shards}, numbered from 0; use the id that dispatch answered`,
    );
  }
  return { shard, run: checkId(id) };
}

/** Jump consistent hash, https://arxiv.org/abs/1406.2294. */
function bucketOf(hash: number, buckets: number): number {
  let key = BigInt(hash);
  let bucket = 0;
  for (let next = 0; next < buckets; ) {
    bucket = next;
    key = BigInt.asUintN(64, key * 2862933555777941757n + 1n);
    next = Math.floor((bucket + 1) * (2 ** 31 / (Number(key >> 33n) + 1)));
  }
  return bucket;
}
