import { FuselineError } from '../../core/errors.ts';
import { type Catalogue, newestCatalogue } from './catalogue.ts';
import { failed } from './failure.ts';
import { hasCode } from './files.ts';
import { LogFile } from './log-file.ts';
import { Rows } from './rows.ts';
import { readSnapshot } from './snapshot.ts';
import { openTables, type Reading } from './tables.ts';

/** A log as its newest catalogue or snapshot leaves it; what the segments say from there on is still to be read. */
export interface Opened {
  readonly rows: Rows;
  readonly segment: LogFile;
  readonly catalogue: Catalogue | undefined;
  /** Files that rows are read from. */
  readonly older: readonly LogFile[];
}

const ATTEMPTS = 100;

/** Opens a log where its tables end, or its snapshot, or at the `first` segment where there is neither. */
export function openLog(reading: Reading, first: string): Opened {
  const { directory } = reading;
  let missing: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const newest = directory.newest();
      if (newest?.kind === 'snapshot') return onSnapshot(reading, newest.name, newest.number);
      const catalogue = newestCatalogue(directory);
      return catalogue ? onTables(reading, catalogue) : atFirst(reading, first);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw failed(`cannot read the storage in ${directory.path}`, error);
      // Others were faster, and there is a newer catalogue by now.
      missing = error;
    }
  }
  throw new FuselineError(
    directory.files.stat(directory.path) ? 'STORAGE_CORRUPT' : 'STORAGE_FAILED',
    `a part of the storage in ${directory.path} is missing (${(missing as Error).message}); restore the directory from a backup`,
    { cause: missing },
  );
}

function onTables(reading: Reading, catalogue: Catalogue): Opened {
  const { directory, meter } = reading;
  const { next, ordinal, base } = catalogue;
  const tables = openTables(reading, catalogue.tables);
  try {
    const segment = new LogFile(directory.files, directory.at(next), { ordinal, base }, meter);
    return { rows: new Rows(tables, base), segment, catalogue, older: [] };
  } catch (error) {
    tables.close();
    throw error;
  }
}

function onSnapshot({ directory, meter }: Reading, name: string, ordinal: number): Opened {
  const snapshot = new LogFile(directory.files, directory.at(name), { ordinal, base: 0 }, meter);
  try {
    const { rows, next, base } = readSnapshot(snapshot);
    const segment = new LogFile(directory.files, directory.at(next), { ordinal, base }, meter);
    return { rows, segment, catalogue: undefined, older: [snapshot] };
  } catch (error) {
    snapshot.close();
    throw error;
  }
}

function atFirst({ directory, meter }: Reading, first: string): Opened {
  const segment = new LogFile(directory.files, directory.at(first), { ordinal: 1, base: 0 }, meter);
  return { rows: new Rows(), segment, catalogue: undefined, older: [] };
}
