import type { CorpusCase } from 'fuseline/testing';
import type { TestProject } from 'vitest/node';
import { readCorpus } from '../corpus/run.ts';

declare module 'vitest' {
  interface ProvidedContext {
    corpus: readonly CorpusCase[];
    /** Whether every browser runs all of it, or all of them together do. */
    corpusIn: 'every browser' | 'all browsers';
  }
}

/** Hands the corpus to the tests in a page, which has no files to read. */
export default async function provideCorpus(project: TestProject): Promise<void> {
  project.provide('corpus', await readCorpus());
  project.provide('corpusIn', process.env.CORPUS_IN_EVERY_BROWSER ? 'every browser' : 'all browsers');
}
