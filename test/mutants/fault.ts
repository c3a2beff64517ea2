/** A mistake somebody could make in one line, and the promise that it breaks. */
export interface Fault {
  readonly name: string;
  /** Under `src`. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The worlds that have to notice: of engines in virtual time, or of a file store whose disk loses what was not synced. */
  readonly worlds: 'engine' | 'disk';
  /** What it breaks first in most worlds. Any broken promise counts. */
  readonly breaks: string;
}

/** The file with its fault. Refuses a fault that no longer says where it belongs. */
export function withFault(text: string, { name, file, find, replace }: Fault): string {
  const [before, after, ...more] = text.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(
      `fault ${JSON.stringify(name)} is out of date: ${JSON.stringify(find)} occurs ${text.split(find).length - 1} times in src/${file}, and must occur once`,
    );
  }
  return `${before}${replace}${after}`;
}
