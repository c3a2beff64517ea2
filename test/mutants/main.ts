import { parseArgs } from 'node:util';
import { diskFaults } from './disk-faults.ts';
import { engineFaults } from './engine-faults.ts';
import type { Fault } from './fault.ts';
import { type Catch, hunt } from './hunt.ts';

/**
 * `npm run test:mutants [-- --only NAME] [-- --worlds N]`: puts one fault after another into a copy of the sources and
 * runs simulated worlds there until one of them is found wrong. A fault that none notices fails, and so does a world
 * that is found wrong without a fault.
 */
const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, worlds: { type: 'string', default: '2000' } },
});
const worlds = Number(values.worlds);
/** Each has a processor of its own. */
const AT_ONCE = 2;

const faults = [...engineFaults, ...diskFaults].filter(
  ({ name }) => values.only === undefined || values.only.includes(name),
);
if (faults.length === 0) throw new Error(`no fault is called ${values.only?.join(' or ')}`);
const kinds = [...new Set(faults.map((fault) => fault.worlds))];

interface Hunted {
  readonly name: string;
  readonly found: Catch;
  readonly fine: boolean;
}

const hunts = [
  ...kinds.map((kind) => async (): Promise<Hunted> => {
    const found = await hunt(undefined, kind, worlds);
    return { name: `(no fault, ${kind} worlds)`, found, fine: found.status === 'not caught' };
  }),
  ...faults.map((fault: Fault) => async (): Promise<Hunted> => {
    const found = await hunt(fault, fault.worlds, worlds);
    return { name: fault.name, found, fine: found.status === 'caught' };
  }),
];

const hunted: Hunted[] = [];
const width = Math.max(...faults.map(({ name }) => name.length), 24);
console.log(`| ${'fault'.padEnd(width)} | worlds | invariant`);
const queue = hunts[Symbol.iterator]();
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (const next of queue) {
      const one = await next();
      hunted.push(one);
      const { found } = one;
      const said = found.status === 'caught' ? found.invariant : one.fine ? 'all kept' : 'NOT CAUGHT';
      const needed = found.status === 'caught' ? found.seed : worlds;
      console.log(`| ${one.name.padEnd(width)} | ${String(needed).padStart(6)} | ${said}`);
      if (!one.fine && found.status === 'caught') console.log(found.message);
    }
  }),
);
const caught = hunted.filter(({ fine, found }) => fine && found.status === 'caught').length;
console.log(`${caught} of ${faults.length} faults caught within ${worlds} worlds each`);
if (hunted.some(({ fine }) => !fine)) process.exitCode = 1;
