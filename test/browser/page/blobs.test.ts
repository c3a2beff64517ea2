import { openExport, ProcessEngine, typed, workflow } from 'fuseline';
import { IndexedDBStorage } from 'fuseline/indexeddb';
import { deleteDB } from 'idb';
import { afterAll, expect, test } from 'vitest';

const NAME = 'blobs';
const storage = new IndexedDBStorage(NAME);
afterAll(async () => {
  await storage.close();
  await deleteDB(`fuseline/${NAME}`);
});

/** More than one row holds, so that none is kept whole by chance. */
const bytes = (length: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length }, (_, i) => (i * 7) % 256);
const bytesOf = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());

test('a File is an input, a Blob is a result, and both come back as they went in from a storage opened anew', async () => {
  const given = new File([bytes(20_000_000)], 'a photo.jpg', { type: 'image/jpeg', lastModified: 1_700_000_000_000 });
  const flow = workflow('develop', { input: typed<{ readonly photos: readonly File[] }>() }, ($) => {
    const first = $.step('first', { given: $.input }, ({ given: { photos } }) => photos[0] as File);
    return $.step('parts', { first }, async ({ first: photo }) => ({
      file: photo,
      parts: new Map([['head', photo.slice(0, 1000, 'image/head')]]),
    }));
  });
  const { id } = await flow.dispatch({ photos: [given] }, { storage });
  await new ProcessEngine(flow, storage).work(id);

  const again = new IndexedDBStorage(NAME);
  const { file, parts } = (await again.result(id)) as { file: File; parts: Map<string, Blob> };
  await again.close();
  expect([file.name, file.type, file.lastModified, file.size]).toEqual([
    'a photo.jpg',
    'image/jpeg',
    1_700_000_000_000,
    20_000_000,
  ]);
  expect((await bytesOf(file)).every((byte, i) => byte === (i * 7) % 256)).toBe(true);
  const head = parts.get('head') as Blob;
  expect(head instanceof File).toBe(false);
  expect([head.type, head.size]).toEqual(['image/head', 1000]);
  expect(await bytesOf(head)).toEqual(bytes(1000));
});

test('a file is in the export of its run, and comes out of it', async () => {
  const flow = workflow('keep', { input: typed<File>() }, ($) =>
    $.step('keep', { given: $.input }, ({ given }) => given),
  );
  const { id } = await flow.dispatch(new File(['one'], 'note.txt', { lastModified: 1 }), { storage });
  await new ProcessEngine(flow, storage).work(id);
  const copy = await openExport(JSON.parse(JSON.stringify(await storage.export(id))));
  const file = (await copy.result(id)) as File;
  expect([file.name, await file.text()]).toEqual(['note.txt', 'one']);
});

test('an id stands for one file: the same one again finds the run, another one is refused', async () => {
  const flow = workflow('keep', { input: typed<File>() }, ($) => $.step('keep', { given: $.input }, () => undefined));
  const file = (content: string): File => new File([content], 'note.txt', { lastModified: 1 });
  await flow.dispatch(file('one'), { storage, id: 'same' });
  await flow.dispatch(file('one'), { storage, id: 'same' });
  await expect(flow.dispatch(file('two'), { storage, id: 'same' })).rejects.toMatchObject({ code: 'INPUT_MISMATCH' });
});

test('what can be carried nowhere is refused with its path', async () => {
  const flow = workflow('refuse', { input: typed<unknown>() }, ($) => $.step('s', { given: $.input }, () => undefined));
  await expect(flow.dispatch({ a: [new Blob(['x']), () => 1] }, { storage })).rejects.toMatchObject({
    code: 'VALUE_NOT_PORTABLE',
    message: expect.stringContaining('.a[1]'),
  });
});
