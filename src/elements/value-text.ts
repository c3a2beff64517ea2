import { plain } from '../core/plain.ts';

const DEEPEST = 6;
const MOST_ITEMS = 100;
const LONGEST = 5000;

/** A value as indented JSON, as much of it as one can look at. */
export function valueText(value: unknown): string {
  const text =
    value === undefined ? 'nothing' : (JSON.stringify(plain(bounded(value, 0)), undefined, 2) ?? String(value));
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** The same kind of value, with a few words in place of what is too large or too deep, and of bytes. */
function bounded(value: unknown, depth: number): unknown {
  if (typeof value === 'string' && value.length > LONGEST) return `${value.slice(0, LONGEST)}…`;
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Error) return value;
  if (typeof Blob === 'function' && value instanceof Blob) {
    const name = 'name' in value ? `${String(value.name)}, ` : '';
    return `[${name}${value.type === '' ? 'data' : value.type}, ${value.size} bytes]`;
  }
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    const kind = Object.getPrototypeOf(value).constructor.name as string;
    return value.byteLength > MOST_ITEMS ? `[${kind}, ${value.byteLength} bytes]` : value;
  }
  if (depth === DEEPEST) return '[…]';
  const inner = (one: unknown): unknown => bounded(one, depth + 1);
  if (value instanceof Map) return new Map(few([...value]).map(([key, one]) => [inner(key), inner(one)] as const));
  if (value instanceof Set) return few([...value]).map(inner);
  if (Array.isArray(value)) {
    const rest = value.length - MOST_ITEMS;
    return [...few(value).map(inner), ...(rest > 0 ? [`… and ${rest} more`] : [])];
  }
  return Object.fromEntries(few(Object.entries(value)).map(([name, one]) => [name, inner(one)]));
}

function few<T>(items: readonly T[]): readonly T[] {
  return items.slice(0, MOST_ITEMS);
}
