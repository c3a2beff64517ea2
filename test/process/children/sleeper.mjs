// Holds a storage open and commits once for every line it is given.
import { createInterface } from 'node:readline';
import { FileStore } from 'fuseline/node';

const [directory, options = '{}'] = process.argv.slice(2);
const store = new FileStore(directory, JSON.parse(options));
const [seen] = await store.read(['shared']);
// Undisturbed for so long that it takes itself to be alone, and writes without looking first.
for (let i = 0; i < 100; i++) await store.commit({ put: [{ key: 'warm', value: String(i) }] });
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const version = line === 'blind' ? undefined : seen?.version;
  const expect = line === 'blind' ? [] : [{ key: 'shared', version }];
  const result = await store.commit({
    expect,
    put: [{ key: line === 'blind' ? 'blind' : 'shared', value: JSON.stringify({ line }) }],
  });
  process.stdout.write(`${result.status}\n`);
}
await store.close();
