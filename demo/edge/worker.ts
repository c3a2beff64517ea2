/** What the wrangler.toml of this repository deploys, beside the files of the page. */
import { bearer, durableWorkflows } from 'fuseline/durable-object';
import { checkout, gift } from './orders.ts';

const edge = durableWorkflows({
  workflows: [checkout, gift],
  queues: ['default'],
  binding: 'RUNS',
  shards: 8,
  auth: bearer({ client: 'CLIENT_TOKEN', worker: 'WORKER_TOKEN', admin: 'ADMIN_TOKEN' }),
});

export class Runs extends edge.Runs {}

export default edge.app;
