import { type Command, InvalidArgumentError, Option } from 'commander';
import { durationMs } from '../core/duration.ts';
import { FuselineError } from '../core/errors.ts';
import { oneLine } from './text.ts';

export const DEFAULT_STORAGE = '.fuseline';

export interface CommonOptions {
  readonly storage: string;
  readonly json?: true;
  readonly verbose?: true;
}

/** The options every command has. */
export function withCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--storage <dir>', 'the directory that keeps the runs')
        .default(DEFAULT_STORAGE)
        .env('FUSELINE_STORAGE'),
    )
    .option('--json', 'for programs: JSON on stdout')
    .option('--verbose', 'show the stack of an error');
}

/** Collects `--label key=value`, which may stand several times. */
export function label(text: string, labels: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write key=value.');
  return Object.fromEntries([...Object.entries(labels), [text.slice(0, at), text.slice(at + 1)]]);
}

export function wholeNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('Write a whole number, 1 or more.');
  return Number(text);
}

/** Counted from 0. */
export function position(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number, 0 or more.');
  return Number(text);
}

export function port(text: string): number {
  if (!/^[0-9]{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('Write a whole number, 0 to 65535.');
  return Number(text);
}

export function priority(text: string): number {
  if (!/^-?[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number.');
  return Number(text);
}

/** A moment, or how long from now. */
export function moment(text: string): Date {
  const at = /^[0-9.]+[a-z]+$/.test(text) ? fromNow(text) : Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError('Write a date (2026-03-01T17:00) or a duration (30m).');
  return new Date(at);
}

function fromNow(text: string): number {
  try {
    return Date.now() + durationMs(text);
  } catch {
    return Number.NaN;
  }
}

/** A command line to paste. */
export function commandLine(...words: readonly string[]): string {
  return ['npx fuseline', ...words.map(quote)].join(' ');
}

/** The same about one run, or a step of it, in the same storage. */
export function runLine(command: string, { storage }: CommonOptions, ...about: readonly string[]): string {
  // An id may begin like an option.
  const dashes = about.some((word) => word.startsWith('-')) ? ['--'] : [];
  return commandLine(...command.split(' '), ...storageWords({ storage }), ...dashes, ...about);
}

export function storageWords({ storage }: CommonOptions): readonly string[] {
  return storage === DEFAULT_STORAGE ? [] : ['--storage', storage];
}

/** For an id that no run has. */
export function whereToLook({ storage }: Pick<CommonOptions, 'storage'>): string {
  return `The runs of ${oneLine(JSON.stringify(storage))}: ${commandLine('ls', ...storageWords({ storage }))}`;
}

/** What a shell reads as this one word; one with control characters as bash and zsh write it. */
function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (oneLine(word) === word) return `'${word.replaceAll("'", `'\\''`)}'`;
  return `$'${oneLine(word.replace(/[\\']/g, '\\$&'))}'`;
}

export function isAbout(error: unknown, code: FuselineError['code']): boolean {
  return error instanceof FuselineError && error.code === code;
}
