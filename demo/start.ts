/** `npm run demo`: builds the page and serves it until Ctrl-C. */
import { parseArgs } from 'node:util';
import { servePage } from './serve.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '4173' } } });
const { address } = await servePage(Number(values.port));
console.log(`The demo is at ${address} (Ctrl-C ends it). Its files, for any static host, are in demo/dist.`);
