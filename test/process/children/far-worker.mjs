// Works for a service far away: says which attempt it is in, and ends it when it is told to.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { defineGraph, ProcessEngine } from 'fuseline';
import { HttpStorage } from 'fuseline/http';

const [address, graph] = process.argv.slice(2);
const lines = createInterface(process.stdin);
const told = once(lines, 'line');
const say = (line) => process.stdout.write(`${line}\n`);

const flow = defineGraph(JSON.parse(graph), {
  async there(_, { attempt }) {
    say(`begun ${attempt}`);
    await told;
    return `by attempt ${attempt}`;
  },
});
const engine = new ProcessEngine(flow, new HttpStorage(address), { queues: ['gpu'] });
engine.on('finished', ({ attempt }) => say(`finished ${attempt}`));
engine.on('stale', ({ attempt }) => say(`stale ${attempt}`));
await engine.start();
say('ready');
