/**
 * What JSON can say of a value: dates as ISO 8601, big integers as decimal strings, maps as lists of pairs, sets and
 * typed arrays as lists, errors as name and message.
 */
export function plain(value: unknown): unknown {
  return within(value, []);
}

function within(value: unknown, around: readonly object[]): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (around.includes(value)) return '[circular]';
  const inner = (one: unknown): unknown => within(one, [...around, value]);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Map) return [...value].map((pair) => pair.map(inner));
  if (value instanceof Set || Array.isArray(value)) return [...value].map(inner);
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
  if (ArrayBuffer.isView(value)) return 'length' in value ? [...(value as Uint8Array)].map(inner) : inner(value.buffer);
  if (value instanceof Error) {
    const { name, message, cause } = value;
    return {
      name,
      message,
      ...('code' in value && { code: value.code }),
      ...(cause !== undefined && { cause: inner(cause) }),
    };
  }
  // Entries, not assignment: `__proto__` is a key like any other.
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inner(one)]));
}
