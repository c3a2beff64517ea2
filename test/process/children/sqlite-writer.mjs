// Counts up one counter together with others, and says on stdout what was acknowledged: index, version.
import { SqliteStore } from 'fuseline/sqlite';

const [path, name, most] = process.argv.slice(2);
const store = new SqliteStore(path);
for (let i = 0; i < Number(most); ) {
  const [counter] = await store.read(['counter']);
  const result = await store.commit({
    expect: [{ key: 'counter', version: counter?.version }],
    put: [
      { key: 'counter', value: String(Number(counter?.value ?? 0) + 1) },
      { key: `done/${name}/${i}`, value: 'x'.repeat(i % 2 ? 300 : 3000) },
    ],
  });
  if (result.status === 'conflict') continue;
  process.stdout.write(`${i} ${result.version}\n`);
  i++;
}
await store.close();
