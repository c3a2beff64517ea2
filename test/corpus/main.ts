import { BACKENDS, readCorpus, WAYS } from './run.ts';
import { runCorpus } from './verdicts.ts';

const cases = await readCorpus();
let executed = 0;
let passed = 0;
for (const backend of BACKENDS) {
  for (const workers of WAYS) {
    for (const { id, wrong } of await runCorpus(cases, backend, workers)) {
      executed++;
      if (wrong.length === 0) passed++;
      else console.log(`${id} on ${backend.name} with ${workers}: ${wrong.join('; ')}`);
    }
  }
}
if (passed < executed) process.exitCode = 1;
console.log(
  `${cases.length} cases × ${BACKENDS.length} backends × ${WAYS.length} ways = ${executed} executed, ${passed} passed, 0 skipped`,
);
