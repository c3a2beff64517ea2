const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
const whole = new Intl.NumberFormat('en-GB');
const BAR = 12;

export function number(value: number): string {
  return whole.format(value);
}

/** `4 files`, `1 file`. */
export function amount(value: number, noun: string): string {
  return `${number(value)} ${value === 1 ? noun : noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}

export function size(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  if (power === 0) return amount(bytes, 'byte');
  const scaled = bytes / 1000 ** power;
  return `${scaled.toFixed(scaled < 10 ? 1 : 0)} ${UNITS[power]}`;
}

export function percent(part: number, all: number): string {
  const share = all === 0 ? 0 : (100 * part) / all;
  return share > 0 && share < 1 ? '< 1 %' : `${Math.round(share)} %`;
}

/** As long as the share, next to the longest. */
export function bar(part: number, longest: number): string {
  return '█'.repeat(longest === 0 ? 0 : Math.max(part > 0 ? 1 : 0, Math.round((BAR * part) / longest)));
}
