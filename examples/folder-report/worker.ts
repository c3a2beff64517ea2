// One of the processes that work a run off: `node worker.ts DIRECTORY RUN`
import { ProcessEngine } from 'fuseline';
import { FileStorage } from 'fuseline/node';
import { folderReport } from './workflow.ts';

const [directory, run] = process.argv.slice(2);
if (directory === undefined || run === undefined) throw new TypeError('worker.ts wants a directory and a run');

const storage = new FileStorage(directory);
// Two steps at a time: enough to leave something for the other process, and to take over what it held without waiting.
const engine = new ProcessEngine(folderReport, storage, { concurrency: 2, name: `pid-${process.pid}` });
engine.on('error', ({ error }) => console.error(error));

// Gives back what it holds, so that whoever goes on need not find out that this one is gone.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void engine.stop({ drain: false }));

await engine.work(run);
await storage.close();
