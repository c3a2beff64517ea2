import { defineGraph, MemoryStorage, ProcessEngine, type StandardSchema } from 'fuseline';
import { HttpStorage } from 'fuseline/http';
import { corpusWorkflow } from 'fuseline/testing';
import { expect, test } from 'vitest';
import { runsApp } from '../../src/http/app.ts';
import { serviceOf } from '../../src/http/service-of.ts';
import { readCorpus } from './run.ts';
import { dispatched, runCorpus } from './verdicts.ts';

/** One case in so many: each one is some twenty requests. */
const SHARE = 16;
const LANES = 8;

const anything: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };

test.each([1, 3])('the cases of the corpus come out right over HTTP, with %i at work', async (workers) => {
  const cases = (await readCorpus()).filter((_, i) => i % SHARE === 0);
  const workflows = cases.map((found) => {
    const { graph, handlers } = corpusWorkflow(found);
    return defineGraph(graph, handlers, { input: anything });
  });
  const behind = new MemoryStorage();
  const service = serviceOf(workflows, behind);
  const app = runsApp({ service: () => service, workflows });
  // It runs no step, and sees to timers and the dead.
  const engine = new ProcessEngine(workflows, behind, { queues: [] });
  await engine.start();
  const open = () => new HttpStorage('http://localhost', { fetch: async (url, init) => app.request(url, init) });
  const backend = {
    name: 'http',
    run: dispatched,
    bracket: (body: (open: () => HttpStorage) => Promise<void>) => body(open),
  };
  const verdicts = await runCorpus(cases, backend, workers, LANES);
  await engine.stop();
  expect(verdicts.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
  expect(verdicts).toHaveLength(cases.length);
});
