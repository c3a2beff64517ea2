import { randomBytes } from 'node:crypto';

/** Where the log begins. Written once and never changed, so that two processes cannot begin two logs. */
export const FORMAT_FILE = 'format.json';

const SEGMENT = /^(\d{8,})-[0-9a-z]+\.log$/;
const SNAPSHOT = /^(\d{8,})\.snapshot$/;
const TABLE = /^(\d{8,})-[0-9a-z]+\.table$/;
const TEMPORARY = /^(\d{8,})-[0-9a-z]+\.tmp$/;

/**
 * Catalogues are numbered from here on. To a version that knows no tables the newest one is a snapshot, newer than any
 * of its own, and its first line tells that version that it is too old.
 */
const FIRST_GENERATION = 100_000_000;

/** What a file of the directory is, by its name. `number` is the ordinal of segments, and the generation of all else. */
export interface FileName {
  readonly kind: 'segment' | 'snapshot' | 'catalogue' | 'table' | 'temporary';
  readonly name: string;
  readonly number: number;
}

/** `undefined` for the format file, and for whatever is none of ours. */
export function parseName(name: string): FileName | undefined {
  const segment = numberIn(SEGMENT, name);
  if (segment !== undefined) return { kind: 'segment', name, number: segment };
  const state = numberIn(SNAPSHOT, name);
  if (state !== undefined) return { kind: state < FIRST_GENERATION ? 'snapshot' : 'catalogue', name, number: state };
  const table = numberIn(TABLE, name);
  if (table !== undefined) return { kind: 'table', name, number: table };
  const temporary = numberIn(TEMPORARY, name);
  if (temporary !== undefined) return { kind: 'temporary', name, number: temporary };
  return undefined;
}

export function segmentOrdinal(name: string): number | undefined {
  return numberIn(SEGMENT, name);
}

export function generationAfter(generation: number | undefined): number {
  return (generation ?? FIRST_GENERATION) + 1;
}

export function segmentName(ordinal: number): string {
  return `${digits(ordinal)}-${suffix()}.log`;
}

export function catalogueName(generation: number): string {
  return `${digits(generation)}.snapshot`;
}

export function tableName(generation: number): string {
  return `${digits(generation)}-${suffix()}.table`;
}

export function temporaryName(generation: number): string {
  return `${digits(generation)}-${suffix()}.tmp`;
}

export function suffix(): string {
  return randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, '0');
}

function digits(number: number): string {
  return String(number).padStart(8, '0');
}

function numberIn(pattern: RegExp, name: string): number | undefined {
  const match = pattern.exec(name);
  return match ? Number(match[1]) : undefined;
}
