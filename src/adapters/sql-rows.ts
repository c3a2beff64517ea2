import { FuselineError } from '../core/errors.ts';
import type { Batch, CommitResult, Entry, Key, Range } from '../core/store.ts';

/** A SQLite database, as the stores that keep their rows in one see it. */
export interface Sql {
  /** Runs one statement to its end and answers its rows. */
  all(statement: string, ...parameters: readonly (string | number)[]): readonly Record<string, unknown>[];
  /** Everything `body` does happens, or, if it throws, nothing of it. */
  transaction<T>(body: () => T): T;
}

/** A newer layout raises it; what a newer one wrote is not touched. */
const FORMAT = 1;

/**
 * A row of SQLite holds up to 2 MB on the platforms there are, and a code unit takes up to three bytes; what is longer
 * goes on in rows of its own.
 */
const PART_LENGTH = 600_000;

/** Versions are taken from the database by the thousand, so that a commit writes its own rows and nothing else. */
const VERSIONS_AT_ONCE = 10_000;

/** A database that was emptied under those who use it begins with numbers that none of them has seen. */
const VERSIONS_PER_MS = 1_000;

// Without a rowid and without an index, so that a put writes one row. The triggers see to what overlong values left.
const SCHEMA: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS fuseline_numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID',
  'CREATE TABLE IF NOT EXISTS fuseline_rows (key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL, parts INTEGER NOT NULL) WITHOUT ROWID',
  'CREATE TABLE IF NOT EXISTS fuseline_parts (key TEXT, part INTEGER, value TEXT NOT NULL, PRIMARY KEY (key, part)) WITHOUT ROWID',
  'CREATE TRIGGER IF NOT EXISTS fuseline_replaced AFTER UPDATE ON fuseline_rows WHEN old.parts > 0 BEGIN DELETE FROM fuseline_parts WHERE key = old.key; END',
  'CREATE TRIGGER IF NOT EXISTS fuseline_deleted AFTER DELETE ON fuseline_rows WHEN old.parts > 0 BEGIN DELETE FROM fuseline_parts WHERE key = old.key; END',
];

const PUT =
  'INSERT INTO fuseline_rows (key, value, version, parts) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version, parts = excluded.parts';

const CONFLICT: CommitResult = { status: 'conflict' };

/** The rows of a store in a SQLite database. Everything happens in the turn it is asked for in. */
export class SqlRows {
  readonly #sql: Sql;
  #version = 0;
  /** The first version that is not this one's to use. */
  #end = 0;

  /** Throws `PROTOCOL_TOO_NEW` for what a newer version of this package wrote. */
  constructor(sql: Sql) {
    this.#sql = sql;
    sql.transaction(() => {
      for (const statement of SCHEMA) sql.all(statement);
      const [found] = sql.all("SELECT value FROM fuseline_numbers WHERE name = 'format'");
      if (found === undefined) sql.all("INSERT INTO fuseline_numbers (name, value) VALUES ('format', ?)", FORMAT);
      else if (Number(found.value) > FORMAT) {
        throw new FuselineError(
          'PROTOCOL_TOO_NEW',
          `this database is of format ${found.value}, and this version of fuseline knows formats up to ${FORMAT}; deploy a newer one`,
        );
      }
    });
  }

  /** Whether everything was taken away from under it. */
  get isGone(): boolean {
    return this.#sql.all("SELECT name FROM sqlite_master WHERE name LIKE 'fuseline!_%' ESCAPE '!'").length === 0;
  }

  get(key: Key): Entry | undefined {
    const [row] = this.#sql.all('SELECT key, value, version, parts FROM fuseline_rows WHERE key = ?', key);
    return row && this.#entry(row);
  }

  scan({ from, to, limit = Number.MAX_SAFE_INTEGER, order = 'ascending' }: Range): readonly Entry[] {
    const direction = order === 'ascending' ? 'ASC' : 'DESC';
    return this.#sql
      .all(
        `SELECT key, value, version, parts FROM fuseline_rows WHERE key >= ? AND key < ? ORDER BY key ${direction} LIMIT ?`,
        from,
        to,
        limit,
      )
      .map((row) => this.#entry(row));
  }

  commit({ expect = [], put = [], delete: gone = [] }: Batch): CommitResult {
    for (const { key, version } of expect) {
      const [row] = this.#sql.all('SELECT version FROM fuseline_rows WHERE key = ?', key);
      if (row?.version !== version) return CONFLICT;
    }
    const version = this.#nextVersion();
    const write = (): void => {
      for (const key of gone) this.#sql.all('DELETE FROM fuseline_rows WHERE key = ?', key);
      for (const { key, value } of put) this.#put(key, value, version);
    };
    const [first] = put;
    if (put.length + gone.length === 1 && (first === undefined || first.value.length <= PART_LENGTH)) write();
    else if (put.length + gone.length > 0) this.#sql.transaction(write);
    return { status: 'committed', version };
  }

  #put(key: Key, value: string, version: number): void {
    const [first = '', ...rest] = value.length > PART_LENGTH ? cut(value) : [value];
    this.#sql.all(PUT, key, first, version, rest.length);
    rest.forEach((part, i) => {
      this.#sql.all('INSERT INTO fuseline_parts (key, part, value) VALUES (?, ?, ?)', key, i, part);
    });
  }

  #entry({ key, value, version, parts }: Record<string, unknown>): Entry {
    const entry = { key: key as string, value: value as string, version: version as number };
    if (parts === 0) return entry;
    const rest = this.#sql.all('SELECT value FROM fuseline_parts WHERE key = ? ORDER BY part', entry.key);
    return { ...entry, value: entry.value + rest.map((part) => part.value).join('') };
  }

  #nextVersion(): number {
    if (this.#version === this.#end) {
      const [row] = this.#sql.all(
        "INSERT INTO fuseline_numbers (name, value) VALUES ('version', ?) ON CONFLICT (name) DO UPDATE SET value = value + ? RETURNING value",
        Date.now() * VERSIONS_PER_MS + VERSIONS_AT_ONCE,
        VERSIONS_AT_ONCE,
      );
      this.#end = Number(row?.value);
      this.#version = this.#end - VERSIONS_AT_ONCE;
    }
    return this.#version++;
  }
}

/** The value in parts, none of which ends within a character. */
function cut(value: string): string[] {
  const parts: string[] = [];
  for (let from = 0; from < value.length; ) {
    let to = Math.min(from + PART_LENGTH, value.length);
    const last = value.charCodeAt(to - 1);
    if (to < value.length && last >= 0xd800 && last < 0xdc00) to--;
    parts.push(value.slice(from, to));
    from = to;
  }
  return parts;
}
