// Says what it hears of others' commits: when it was written, when it was heard. Ends by itself when told so.
import { FileStore } from 'fuseline/node';

const [directory] = process.argv.slice(2);
const store = new FileStore(directory);
await store.read(['bell']);
const alive = setInterval(() => undefined, 1000);
const stop = store.watch(async ({ keys }) => {
  const [bell] = await store.read(['bell']);
  if (!bell) return;
  process.stdout.write(
    `${JSON.stringify({ keys, rung: Number(bell.value), heard: Date.now(), cpu: process.cpuUsage() })}\n`,
  );
  if (bell.value !== '0') return;
  // Nothing of the store keeps the process alive: not the watching, not the open files.
  clearInterval(alive);
});
process.stdout.write('ready\n');
void stop;
