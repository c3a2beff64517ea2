import { FuselineError } from '../../core/errors.ts';
import type { Sql } from '../sql-rows.ts';

/** What is used of `node:sqlite`: the oldest Node that is supported does not have it, nor do its types. */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => NodeDatabase;
}

interface NodeDatabase {
  prepare(statement: string): {
    all(...parameters: readonly (string | number)[]): Record<string, unknown>[];
  };
  close(): void;
}

/** Throws `STORAGE_UNSUPPORTED` where there is none. */
export function nodeSqlite(): NodeSqlite {
  const module = process.getBuiltinModule?.('node:sqlite') as NodeSqlite | undefined;
  if (module) return module;
  throw new FuselineError(
    'STORAGE_UNSUPPORTED',
    `Node ${process.version} has no node:sqlite; use Node 22.13 or newer, or FileStorage of fuseline/node`,
  );
}

/** A connection whose statements are prepared once, and whose transactions may be nested. */
export class Database implements Sql {
  readonly #database: NodeDatabase;
  readonly #statements = new Map<string, ReturnType<NodeDatabase['prepare']>>();
  #isInTransaction = false;

  constructor(path: string) {
    this.#database = new (nodeSqlite().DatabaseSync)(path);
  }

  all(text: string, ...parameters: readonly (string | number)[]): readonly Record<string, unknown>[] {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#database.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement.all(...parameters);
  }

  /** Nobody else writes meanwhile. What is inside of another transaction happens, or does not, with that one. */
  transaction<T>(body: () => T): T {
    if (this.#isInTransaction) return body();
    this.all('BEGIN IMMEDIATE');
    this.#isInTransaction = true;
    try {
      const result = body();
      this.all('COMMIT');
      return result;
    } catch (error) {
      this.#end('ROLLBACK');
      throw error;
    } finally {
      this.#isInTransaction = false;
    }
  }

  /** What `body` reads is of one moment. */
  snapshot<T>(body: () => T): T {
    this.all('BEGIN');
    try {
      return body();
    } finally {
      this.#end('COMMIT');
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #end(how: 'COMMIT' | 'ROLLBACK'): void {
    try {
      this.all(how);
    } catch {
      // SQLite has ended it itself, as it does when the disk is full.
    }
  }
}
