import type { Engine, Session } from '../engine.ts';

/** What it writes down lies in objects; the Worker that asks them is one for both. */
const KEPT = { service: 'wrangler', keeps: 'on disk', takeover: 'a restart' } as const;

export const fuselineEdge: Engine = {
  name: 'Fuseline, edge',
  storage: 'DurableObjectStorage',
  ...KEPT,
  note: 'nobody outside its object hears of anything before it is on disk. The runtime sees to that, and one sync confirms all steps until then that called nothing outside.',
  open: async ({ url }) => session(`${url}/fuseline`),
};

export const cloudflareWorkflows: Engine = {
  name: 'Cloudflare Workflows',
  package: 'wrangler',
  brought: true,
  storage: 'objects of its own',
  ...KEPT,
  note: 'as wrangler runs it on one machine. The service itself is not measured.',
  open: async ({ url }) => session(`${url}/workflows`),
};

function session(url: string): Session {
  return {
    async run(tasks) {
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify(tasks) });
      if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as number[];
    },
    async start() {},
    work: async () => {},
    close: async () => {},
  };
}
