import type { CorpusCase } from 'fuseline/testing';
import type { TestProject } from 'vitest/node';
import { readCorpus } from '../corpus/run.ts';

declare module 'vitest' {
  interface ProvidedContext {
    corpus: readonly CorpusCase[];
  }
}

/** Hands the corpus to the tests in a page, which has no files to read. */
export default async function provideCorpus(project: TestProject): Promise<void> {
  project.provide('corpus', await readCorpus());
}
