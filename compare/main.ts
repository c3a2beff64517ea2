import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    edge: { type: 'boolean', default: false },
    'no-kills': { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});

// Loaded when needed: the tables are written and checked without any engine installed.
if (options.readme || options.check) {
  const { staleTables, writeTables } = await import('./readme.ts');
  if (options.readme) writeTables();
  const stale = staleTables();
  for (const file of stale)
    console.error(`${file}: a table is not that of its results; run npm run compare -- --readme`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  const { compare } = await import('./compare.ts');
  await compare({
    ...(options.only && { only: options.only }),
    kills: options['no-kills'] ? 'left out' : 'measured',
    where: options.edge ? 'the edge' : 'everywhere',
  });
}
