/** A secret may be two, separated by a comma, while callers change from one to the other: the new one stands first. */
export function secretsIn(value: unknown): readonly string[] {
  if (typeof value !== 'string') return [];
  return value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
