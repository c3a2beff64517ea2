/** What other code than ours may do to a database: older, newer, or careless. */
import { openDB } from 'idb';

/** The name a storage gives its database. */
export const nameOf = (database: string): string => `fuseline/${database}`;

export async function upgrade(database: string, version: number): Promise<string> {
  const opened = await openDB(nameOf(database), version, { upgrade: () => undefined });
  opened.close();
  return 'upgraded';
}

export async function rawKeys(database: string): Promise<readonly string[]> {
  const opened = await openDB(nameOf(database));
  const keys = (await opened.getAllKeys('rows')) as string[];
  opened.close();
  return keys;
}

/** Keeps a connection open whatever it is asked for. */
export async function keepAtVersion(database: string, version: number): Promise<string> {
  await openDB(nameOf(database), version);
  return 'kept';
}

export async function deleteRaw(database: string): Promise<void> {
  await new Promise((resolve) => {
    indexedDB.deleteDatabase(nameOf(database)).onsuccess = resolve;
  });
}

/**
 * Hangs for ever, as soon as no transaction is open. With one that is, the database would be closed to everybody else,
 * and no code of theirs could help. It waits for what never comes: a loop would keep the processor from everybody else.
 */
export function hang(unanswered: string): void {
  let open = 0;
  const begin = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (...args) {
    const transaction = begin.apply(this, args);
    open++;
    const ended = (): void => void open--;
    transaction.addEventListener('complete', ended);
    transaction.addEventListener('abort', ended);
    return transaction;
  };
  const look = (): void => {
    if (open > 0) {
      setTimeout(look);
      return;
    }
    const request = new XMLHttpRequest();
    request.open('GET', unanswered, false);
    request.send();
  };
  // What is open already has ended by then.
  setTimeout(look, 500);
}
