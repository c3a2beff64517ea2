import { portable } from '../core/codec.ts';

/** What the codec wrote, as JSON: what JSON lacks is the nearest thing it has, or nothing. Plain JSON is not parsed. */
export function jsonOf(text: string): string | undefined {
  return text.startsWith('~') ? JSON.stringify(portable.decode(text), asJson) : text;
}

function asJson(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map || value instanceof Set) return [...value];
  return value instanceof Error ? { name: value.name, message: value.message } : value;
}
