/** Of a namespace's name. */
export const NAMESPACE = /^[\w-]{1,64}$/;

/** An object is named by it, so a string of a caller's must not come to stand here. */
export function checkNamespace(name: string): string {
  if (NAMESPACE.test(name)) return name;
  throw new TypeError(`a namespace cannot be called ${JSON.stringify(name)}; give it 1 to 64 letters, digits, _ and -`);
}
