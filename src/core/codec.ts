import { DevalueError, parse, stringify } from 'devalue';
import type { ErrorRecord } from './errors.ts';
import { FuselineError, rebuildError, recordError } from './errors.ts';

/** How values travel between steps: text in, a copy of its own out. */
export interface Codec {
  /** Throws `VALUE_NOT_PORTABLE` with the path inside the value that cannot be carried. */
  encode(value: unknown): string;
  decode(text: string): unknown;
  /** Reads what `encode`, which cannot wait, will want of the value; `undefined` if there is nothing to wait for. */
  prepare?(value: unknown): Promise<void> | undefined;
}

/** A kind of object that a platform has beside the language's own. */
export interface Kind {
  /** Plain data for one of its kind; something false for everything else. */
  reduce(value: unknown): unknown;
  revive(data: unknown): unknown;
}

/**
 * JSON, and what JSON lacks through devalue: Date, Map, Set, BigInt, typed arrays, URL, RegExp, undefined, NaN, cycles,
 * shared references, Error with its cause. A text that starts with `~` is devalue's.
 */
export const portable: Codec = portableWith({});

/** The same, with more kinds of objects. Their names are part of what is recorded. */
export function portableWith(kinds: Readonly<Record<string, Kind>>): Codec {
  const reducers: Record<string, Kind['reduce']> = { Error: (error) => error instanceof Error && recordError(error) };
  const revivers: Record<string, Kind['revive']> = { Error: (record) => rebuildError(record as ErrorRecord) };
  for (const [name, kind] of Object.entries(kinds)) {
    reducers[name] = kind.reduce;
    revivers[name] = kind.revive;
  }
  return {
    encode(value) {
      if (isJson(value, 0)) return JSON.stringify(value);
      try {
        return `~${stringify(value, reducers)}`;
      } catch (cause) {
        const path = cause instanceof DevalueError ? cause.path : '';
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new FuselineError(
          'VALUE_NOT_PORTABLE',
          `the value cannot be carried to another step: ${reason} (at value${path}); return ${['plain data, Date, Map, Set, BigInt, typed arrays', ...Object.keys(kinds)].join(', ')} or Error`,
          { cause },
        );
      }
    },
    decode(text) {
      return text[0] === '~' ? parse(text.slice(1), revivers) : JSON.parse(text);
    },
  };
}

/** Hands values on as they are, functions and live objects included; for runs that never leave this process. */
export function byReference(): Codec {
  const values: unknown[] = [];
  return {
    encode: (value) => `@${values.push(value) - 1}`,
    decode: (text) => values[Number(text.slice(1))],
  };
}

/** What two inputs have in common when they say the same with their keys in another order. */
export function canonical(text: string, codec: Codec = portable): string {
  if (text[0] === '@') return text;
  if (text[0] === '~') return codec.encode(inOrder(codec.decode(text), new Map()));
  return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** A copy with the keys of plain objects sorted. A `Map` keeps its order, which a program can see. */
function inOrder(value: unknown, known: Map<unknown, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (known.has(value)) return known.get(value);
  const note = <T>(copy: T): T => {
    known.set(value, copy);
    return copy;
  };
  if (Array.isArray(value)) {
    const list: unknown[] = note(new Array(value.length));
    value.forEach((item, i) => {
      list[i] = inOrder(item, known);
    });
    return list;
  }
  if (value instanceof Map) {
    const map = note(new Map<unknown, unknown>());
    for (const [key, item] of value) map.set(inOrder(key, known), inOrder(item, known));
    return map;
  }
  if (value instanceof Set) {
    const set = note(new Set<unknown>());
    for (const item of value) set.add(inOrder(item, known));
    return set;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const copy: Record<string, unknown> = note({});
  for (const key of Object.keys(value).sort()) copy[key] = inOrder((value as Record<string, unknown>)[key], known);
  return copy;
}

// Deeper than this may be a cycle; devalue tells.
const MAX_DEPTH = 64;

/** Whether JSON carries the value unchanged. A walk costs a quarter of what the full codec does. */
function isJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      return value === null || (depth < MAX_DEPTH && isJsonObject(value, depth + 1));
    default:
      return false;
  }
}

function isJsonObject(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    // Index by index, so that a hole counts as the undefined it is.
    for (let i = 0; i < value.length; i++) if (!isJson(value[i], depth)) return false;
    return Object.getPrototypeOf(value) === Array.prototype;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value)
    if (key === 'toJSON' || !isJson((value as Record<string, unknown>)[key], depth)) return false;
  return Object.getOwnPropertySymbols(value).length === 0;
}
