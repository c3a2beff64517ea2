// Imports a CSV file of any size: cut into batches, which all processes read side by side, and each of which is inserted once.
//
//   npx fuseline dispatch import-csv.ts --input '{"file":"people.csv"}' --id people
//   npx fuseline work import-csv.ts --processes 4 --concurrency 2      # kill any of them: another one does what it had begun
//   npx fuseline retry people && npx fuseline work import-csv.ts       # after a failure: goes on with what is not inserted yet
import { createReadStream } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Info, parse } from 'csv-parse';
import { parse as parseAll } from 'csv-parse/sync';
import { type Context, NonRetryableError, workflow } from 'fuseline';
import { z } from 'zod'; // or valibot, arktype: any Standard Schema

type Batch = Awaited<ReturnType<typeof cut>>[number];
const BATCH = 1000;
const CSV = { bom: true, skip_empty_lines: true, relax_column_count: true };
const person = z.object({ id: z.coerce.number().int(), email: z.email(), name: z.string().min(1) });

export const importCsv = workflow('import-csv', { input: z.object({ file: z.string() }) }, ($) => {
  const batches = $.step('cut', { input: $.input }, ({ input }, context) => cut(input.file, context));
  const parts = $.each('import', batches, importBatch, { limit: 8, retry: 5, timeout: '1m' });
  return $.step('sum', { parts }, ({ parts }) => {
    const rejected = parts.flatMap((part) => part.rejected);
    const imported = parts.reduce((sum, part) => sum + part.imported, 0);
    return { imported, rejected: rejected.length, first: rejected.slice(0, 20) };
  });
});

/** Where batches begin and end, and not their rows, keeps the journal small. A line break inside quotes ends no row. */
async function cut(file: string, { heartbeat, signal }: Context) {
  const { size, mtimeMs } = await stat(file);
  const ends: number[] = [];
  let columns: string[] = [];
  const look = async (rows: AsyncIterable<{ record: string[]; info: Info }>) => {
    for await (const { record, info } of rows) {
      if (info.records === 1) columns = record;
      if (info.records % BATCH === 1) heartbeat({ batches: ends.push(info.bytes) - 1 });
    }
  };
  await pipeline(createReadStream(file), parse({ ...CSV, info: true }), look, { signal });
  if ((ends.at(-1) ?? size) < size) ends.push(size);
  return ends.slice(1).map((to, i) => ({ file, mtimeMs, columns, row: i * BATCH + 2, from: ends[i] as number, to }));
}

async function importBatch({ file, mtimeMs, columns, row, from, to }: Batch, { key, signal }: Context) {
  if ((await stat(file)).mtimeMs !== mtimeMs) throw new NonRetryableError(`${file} was changed after it had been cut`);
  const bytes = await buffer(createReadStream(file, { start: from, end: to - 1, signal }));
  const rows = parseAll(bytes, { ...CSV, columns }).map((record) => person.safeParse(record));
  const people = rows.flatMap(({ data }) => data ?? []);
  await insert(people, key);
  const rejected = rows.flatMap(({ error }, i) => (error ? [{ row: row + i, why: z.prettifyError(error) }] : []));
  return { imported: people.length, rejected };
}

/** Stands in for a database that takes a batch as a whole or not at all, and knows by its key what it has already. */
async function insert(people: readonly unknown[], key: string) {
  await mkdir('people', { recursive: true });
  await writeFile(`people/${encodeURIComponent(key)}.json`, JSON.stringify(people));
}
