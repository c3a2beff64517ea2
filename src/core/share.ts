/** `fresh`, with the parts of `known` in place of its own that are equal to them; `known` itself if all of it is. */
export function share<T>(known: unknown, fresh: T): T {
  if (Object.is(known, fresh) || !isData(known) || !isData(fresh)) return fresh;
  if (Array.isArray(fresh)) return (Array.isArray(known) ? shareList(known, fresh) : fresh) as T;
  if (Array.isArray(known)) return fresh;
  const names = Object.keys(fresh);
  const shared = names.map((name) => share(known[name], fresh[name]));
  const isEqual = names.every((name, i) => Object.hasOwn(known, name) && Object.is(known[name], shared[i]));
  if (isEqual && Object.keys(known).length === names.length) return known as T;
  return Object.fromEntries(names.map((name, i) => [name, shared[i]])) as T;
}

function shareList(known: readonly unknown[], fresh: readonly unknown[]): readonly unknown[] {
  const shared = fresh.map((item, i) => share(known[i], item));
  return known.length === shared.length && shared.every((item, i) => Object.is(item, known[i])) ? known : shared;
}

/** What has an identity of its own, an error for example, is nobody else's equal. */
function isData(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype;
}
