import { type Codec, type Kind, portableWith } from '../core/codec.ts';

/** Its bytes, its type, and of a file its name and the time it was last changed. */
type Carried = readonly [bytes: Uint8Array<ArrayBuffer>, type: string, name?: string, lastModified?: number];

/** Read before they are encoded, which cannot wait. */
const read = new WeakMap<Blob, Uint8Array<ArrayBuffer>>();

const blob: Kind = {
  reduce: (value) => value instanceof Blob && carried(value),
  revive(data) {
    const [bytes, type, name, lastModified = 0] = data as Carried;
    const revived = name === undefined ? new Blob([bytes], { type }) : new File([bytes], name, { type, lastModified });
    read.set(revived, bytes);
    return revived;
  },
};

const codec = portableWith({ Blob: blob });

/**
 * The portable codec, which also carries `Blob` and `File`: as bytes, because browsers have lost stored blobs whose bytes
 * they kept elsewhere (WebKit, Dexie #618 and #1919).
 */
export const withBlobs: Codec = {
  ...codec,
  prepare(value) {
    const unread = [...blobsIn(value, new Set())].filter((one) => !read.has(one));
    if (unread.length === 0) return undefined;
    const bytes = async (one: Blob): Promise<void> => {
      read.set(one, new Uint8Array(await one.arrayBuffer()));
    };
    return Promise.all(unread.map(bytes)).then(() => undefined);
  },
};

function carried(value: Blob): Carried {
  const bytes = read.get(value);
  if (!bytes) throw new TypeError('a Blob whose bytes were not read');
  return value instanceof File ? [bytes, value.type, value.name, value.lastModified] : [bytes, value.type];
}

function* blobsIn(value: unknown, seen: Set<unknown>): Generator<Blob> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Blob) yield value;
  else if (value instanceof Map) for (const pair of value) yield* blobsIn(pair, seen);
  else if (value instanceof Set || Array.isArray(value)) for (const item of value) yield* blobsIn(item, seen);
  else if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
    for (const item of Object.values(value)) yield* blobsIn(item, seen);
}
