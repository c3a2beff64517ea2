type Unit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w';

/** Milliseconds, or a string such as `'30s'`, `'5m'`, `'2h'`, `'1.5d'`. */
export type Duration = number | `${number}${Unit}`;

const MS: Readonly<Record<Unit, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };

/** Milliseconds, at least 0. Throws a `TypeError` for anything that is not a duration. */
export function durationMs(duration: Duration | string): number {
  const ms = typeof duration === 'number' ? duration : parse(duration);
  if (!(ms >= 0 && ms <= Number.MAX_SAFE_INTEGER)) {
    throw new TypeError(
      `not a duration: ${JSON.stringify(duration)}; write milliseconds or a string such as '30s' or '2h'`,
    );
  }
  return ms;
}

export function isDuration(value: unknown): value is Duration {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? parse(value) : Number.NaN;
  return ms >= 0 && ms <= Number.MAX_SAFE_INTEGER;
}

function parse(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text);
  return match ? Number(match[1]) * MS[match[2] as Unit] : Number.NaN;
}
