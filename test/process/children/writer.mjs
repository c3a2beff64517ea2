// Counts up one counter together with others, and says on stdout what was acknowledged: index, count, version.
import { FileStore } from 'fuseline/node';
import { notingSyncs } from './noting-syncs.mjs';

const [directory, name, options = '{}', most = 'Infinity', syncs] = process.argv.slice(2);
const store = new FileStore(directory, { ...JSON.parse(options), ...(syncs && { files: notingSyncs(syncs) }) });

for (let i = 0; i < Number(most); ) {
  const [counter] = await store.read(['counter']);
  const count = counter ? Number(counter.value) + 1 : 1;
  const result = await store.commit({
    expect: [{ key: 'counter', version: counter?.version }],
    put: [
      { key: 'counter', value: String(count) },
      { key: `scratch/${count % 3}`, value: JSON.stringify({ filler: 'x'.repeat(count % 2 ? 300 : 1500) }) },
      { key: `done/${name}/${i}`, value: JSON.stringify({ count }) },
    ],
  });
  if (result.status === 'conflict') continue;
  process.stdout.write(`${i} ${count} ${result.version}\n`);
  i++;
}
await store.close();
