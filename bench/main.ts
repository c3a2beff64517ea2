import { parseArgs } from 'node:util';
import { bundle } from './bundle.ts';
import { chains } from './chain.ts';
import { commits } from './commits.ts';
import { edge } from './edge.ts';
import { fans } from './fan.ts';
import { type Family, meets } from './figures.ts';
import { type FileRoom, openFileRoom } from './file-room.ts';
import { held } from './held.ts';
import { keptRuns } from './kept.ts';
import { lists } from './list.ts';
import { longRuns } from './long.ts';
import { page } from './page.ts';
import { resume } from './resume.ts';
import { manyRuns } from './short-runs.ts';
import { HEADING, heading, jsonLine, row } from './table.ts';
import { tabs } from './tabs.ts';
import { timers } from './timers.ts';

/**
 * `npm run bench [-- --only FAMILY] [-- --rounds N] [-- --json] [-- --check]`: measures and says which goals are
 * reached. It reports; with `--check` it also fails where one is missed, which a busy machine is reason enough for.
 */
const FAMILIES: readonly Family[] = [
  chains,
  fans,
  manyRuns,
  commits,
  longRuns,
  lists,
  held,
  keptRuns,
  resume,
  timers,
  page,
  tabs,
  edge,
  bundle,
];
const ROUNDS = 5;

const { values: options } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: String(ROUNDS) },
  },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError(`--rounds is ${options.rounds}; it must be 1 or more`);
const names = FAMILIES.map(({ name }) => name);
const unknown = options.only.find((name) => !names.includes(name));
if (unknown !== undefined) throw new TypeError(`--only ${unknown} names no workload; there are ${names.join(', ')}`);
const chosen = FAMILIES.filter(({ name }) => options.only.length === 0 || options.only.includes(name));

let missed = 0;
let room: Promise<FileRoom> | undefined;
const files = () => {
  room ??= openFileRoom();
  return room;
};
const say = options.json ? () => undefined : console.log;
try {
  say(HEADING);
  for (const family of chosen) {
    say(heading(family));
    for await (const figure of family.measure({ rounds, files })) {
      if (!meets(figure)) missed++;
      console.log(options.json ? jsonLine(figure) : row(figure));
    }
  }
  if (room) {
    const { lineBytes, sync } = await room;
    say(`\nraw: one descriptor, a line of ${lineBytes} bytes and ${sync} for each step`);
  }
} finally {
  (await room)?.close();
}
if (options.check && missed > 0) {
  console.error(`${missed} of the goals ${missed === 1 ? 'was' : 'were'} missed`);
  process.exitCode = 1;
}
