import { MemoryStorage, ProcessEngine } from 'fuseline';
import { expect, test } from 'vitest';
import { listen } from '../../../src/cli/server.ts';
import { runsApp } from '../../../src/http/app.ts';
import { bearer } from '../../../src/http/auth.ts';
import { serviceOf } from '../../../src/http/service-of.ts';
import { houseOfThisFile } from './house.ts';
import { flows } from './web/flows.ts';

const house = houseOfThisFile();
const TOKEN = 'worker-0123456789';

test('tabs of another site work over HTTP: one is killed in its step, and another one goes on', async () => {
  const { site, browser } = house;
  const workflows = Object.values(flows('service'));
  const behind = new MemoryStorage();
  const service = serviceOf(workflows, behind);
  const app = runsApp({
    service: () => service,
    workflows,
    auth: bearer({ worker: 'WORKER' }),
    cors: [new URL(site.address).origin],
  });
  const engine = new ProcessEngine(workflows, behind, { queues: [] });
  await engine.start();
  const listening = await listen(app, { host: '127.0.0.1', port: 0 }, { WORKER: TOKEN });

  const { hold } = flows('service');
  const run = await hold.dispatch('held', { storage: behind });
  const victim = await browser.tab(site.address);
  await victim.call('workAfar', 'victim', listening.address, TOKEN);
  await site.noted(({ who, what }) => who === 'victim' && what === 'begin');
  const heir = await browser.tab(site.address);
  await heir.call('workAfar', 'heir', listening.address, TOKEN);
  process.kill(await victim.pid(), 'SIGKILL');
  // What half a minute of silence brings about.
  const dead = (await behind.workers()).find(({ name }) => name === 'victim');
  await behind.reap(dead?.id ?? '');
  expect(await run.result()).toBe('held by attempt 2');
  await site.noted(({ who, what }) => who === 'heir' && what === 'begin');
  expect(site.notes.filter(({ what }) => what === 'begin').map(({ who, attempt }) => [who, attempt])).toEqual([
    ['victim', 1],
    ['heir', 2],
  ]);

  await heir.call('leave', 'heir');
  await heir.close();
  await Promise.all([listening.stop(), engine.stop()]);
});
