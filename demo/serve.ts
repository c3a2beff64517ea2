/** `npm run demo`: builds the page and serves it on this machine until Ctrl-C. */
import { parseArgs } from 'node:util';
import { context } from 'esbuild';
import { buildPage } from './build.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '4173' } } });
const directory = await buildPage();
const server = await context({});
const { port } = await server.serve({ servedir: directory, host: '127.0.0.1', port: Number(values.port) });
console.log(`The demo is at http://localhost:${port}/ (Ctrl-C ends it). Its static files are in demo/dist.`);
