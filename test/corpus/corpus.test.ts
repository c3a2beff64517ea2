import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BACKENDS, readCorpus, WAYS } from './run.ts';
import { runCorpus } from './verdicts.ts';

/** Those that wait for a disk: a case runs on one of them, with one number of workers; `npm run test:corpus` runs all. */
const DISKS = ['file', 'sqlite'];
/** Cases at a time, where they share what they wait for. */
const LANES: Readonly<Record<string, number>> = { file: 8 };

// proves: ready.schedule
describe.each(BACKENDS)('the corpus on $name', (backend) => {
  test.each(WAYS)('with %i at work', async (workers) => {
    const disk = DISKS.indexOf(backend.name);
    const quarter = disk * WAYS.length + WAYS.indexOf(workers);
    const cases = (await readCorpus()).filter((_, i) => disk < 0 || i % (DISKS.length * WAYS.length) === quarter);
    const verdicts = await runCorpus(cases, backend, workers, LANES[backend.name]);
    expect(verdicts.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    expect(verdicts).toHaveLength(cases.length);
  });
});

describe('a corpus that would be read wrongly is refused', () => {
  const line = {
    id: 'a',
    origin: 'test',
    tags: [],
    workflow: { id: 'w', version: '1', inputs: {}, steps: [], edges: [], outputs: [] },
    expected: { run: 'SUCCEEDED', steps: {} },
  };
  test.each([
    ['an empty directory', [], /has no cases/],
    ['two cases with one id', [line, line], /two cases called a/],
    ['an unknown field', [{ ...line, hope: 1 }], /"hope"/],
  ])('%s', async (_, lines, message) => {
    const directory = await mkdtemp(join(tmpdir(), 'fuseline-corpus-'));
    if (lines.length > 0)
      await writeFile(join(directory, 'cases.jsonl'), lines.map((one) => JSON.stringify(one)).join('\n'));
    await expect(readCorpus(directory)).rejects.toThrow(message);
    await rm(directory, { recursive: true });
  });
});
